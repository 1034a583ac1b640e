"""Weights of blends."""

import numpy as np
import pytest

from polyfacet.training.engines.blend.cross_fitting import N_FOLDS, folds_of_groups
from polyfacet.training.engines.blend.weights import blend_weights

N = 400


@pytest.fixture
def generator() -> np.random.Generator:
    return np.random.default_rng(1)


def of_errors(errors, unit=1.0, **options):
    """Return the weights of parts with errors of shape (parts, rows)."""
    truth = np.linspace(-3, 5, errors.shape[1])
    return blend_weights(unit * (truth + errors)[..., None], unit * truth[:, None], **options)


def test_independent_errors_are_weighted_by_their_inverse_variance(generator):
    spreads = np.array([1.0, 2.0, 4.0])
    weights = of_errors(generator.normal(size=(3, 2_000)) * spreads[:, None], fitted=True)
    np.testing.assert_allclose(weights, spreads**-2 / (spreads**-2).sum(), atol=0.05)


@pytest.mark.parametrize("unit", [1e-300, 1.0, 1e300])
def test_a_correlated_part_that_adds_nothing_gets_no_weight_in_any_unit(generator, unit):
    good = generator.normal(size=N)
    errors = np.stack([good, good + generator.normal(size=N), 50 * generator.normal(size=N)])
    weights = of_errors(errors, unit, fitted=True)
    assert weights[0] > 0.97
    assert weights.sum() == pytest.approx(1)
    np.testing.assert_allclose(weights, of_errors(errors, fitted=True), atol=1e-9)


def test_the_absolute_error_is_minimized_not_the_squared_one(generator):
    """Rare large errors of the first part cost it little weight."""
    errors = generator.normal(size=(2, N)) * [[0.5], [1.0]]
    errors[0, :2] += 40
    assert of_errors(errors, fitted=True)[0] > 0.5


def test_equal_parts_have_equal_weights(generator):
    errors = np.tile(generator.normal(size=N), (3, 1))
    np.testing.assert_allclose(of_errors(errors, fitted=True), 1 / 3, atol=1e-6)


def test_a_perfect_part_has_all_weight(generator):
    errors = np.stack([generator.normal(size=N), np.zeros(N)])
    np.testing.assert_array_equal(of_errors(errors, fitted=True), [0, 1])


@pytest.mark.parametrize("n_rows", [3, 30, 100])
def test_parts_of_very_different_accuracy_can_be_weighted(generator, n_rows):
    errors = generator.normal(size=(45, n_rows)) * 10.0 ** generator.integers(-12, 3, size=(45, 1))
    weights = of_errors(errors, fitted=True)
    far_off = np.abs(errors).mean(axis=1) > 100 * np.abs(errors).mean(axis=1).min()
    assert weights[far_off].sum() == 0
    assert weights.sum() == pytest.approx(1)


def test_few_rows_shrink_the_weights_towards_equal_ones(generator):
    errors = generator.normal(size=(2, 1000)) * [[1.0], [4.0]]
    distance = [abs(of_errors(errors[:, :n], fitted=True)[0] - 0.5) for n in (1, 5, 1000)]
    assert distance[0] < 0.1 < distance[1] < 0.42 < distance[2]
    np.testing.assert_array_equal(of_errors(errors[:, :0], fitted=True), [0.5, 0.5])


@pytest.mark.parametrize("fitted", [True, False])
def test_of_alternatives_only_the_best_has_a_weight(generator, fitted):
    errors = generator.normal(size=(4, N)) * [[2.0], [1.0], [1.0], [3.0]]
    weights = of_errors(errors, alternatives=["text", "text", "graph", "graph"], fitted=fitted)
    assert weights[[0, 3]].tolist() == [0, 0]
    np.testing.assert_allclose(weights[[1, 2]], 0.5, atol=0.1 if fitted else 0)


def test_equal_weights_of_all_parts(generator):
    np.testing.assert_array_equal(of_errors(generator.normal(size=(5, N)), fitted=False), np.full(5, 0.2))


def test_probabilities_are_weighted_by_their_brier_score(generator):
    truth = np.eye(3)[generator.integers(0, 3, N)]
    knows = 0.7 * truth + 0.1
    guesses = generator.dirichlet(np.ones(3), N)
    weights = blend_weights(np.stack([knows, guesses]), truth, fitted=True)
    assert weights[0] > 0.95
    chosen = blend_weights(np.stack([knows, guesses]), truth, ["one", "one"], fitted=False)
    assert chosen.tolist() == [1, 0]


def test_groups_are_in_one_fold():
    groups = [f"g{i % 13}" for i in range(60)]
    folds = folds_of_groups(groups, seed=3)
    assert set(folds) == set(range(N_FOLDS))
    assert len({(group, fold) for group, fold in zip(groups, folds, strict=True)}) == 13
    assert set(folds_of_groups(["a", "b", "a"], seed=3)) == {0, 1}
    assert folds_of_groups(["a", "a"], seed=3).tolist() == [0, 0]
    assert folds_of_groups([], seed=3).size == 0
