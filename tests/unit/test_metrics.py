"""Metrics against scikit-learn and against numbers worked out by hand."""

import math

import numpy as np
import pytest
from sklearn.metrics import (
    accuracy_score,
    f1_score,
    mean_absolute_error,
    precision_recall_fscore_support,
    r2_score,
    root_mean_squared_error,
)

from polyfacet.training.metrics import mae, mase, mean_absolute_deviation, r2, rmse, score, score_classes


@pytest.fixture(params=range(3))
def values(request: pytest.FixtureRequest) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(request.param)
    true = generator.normal(size=37) * 10.0**request.param
    return true, true + generator.normal(size=37)


def test_errors_agree_with_scikit_learn(values: tuple[np.ndarray, np.ndarray]) -> None:
    true, pred = values
    assert mae(true, pred) == pytest.approx(mean_absolute_error(true, pred))
    assert rmse(true, pred) == pytest.approx(root_mean_squared_error(true, pred))
    assert r2(true, pred) == pytest.approx(r2_score(true, pred))


def test_hand_made_numbers() -> None:
    true, pred = [0.0, 0.0, 4.0, 8.0], [0.0, 1.0, 4.0, 6.0]
    # The mean is 3, the deviations from it 3, 3, 1 and 5.
    assert mean_absolute_deviation(true) == 3.0
    assert mae(true, pred) == 0.75
    assert mase(true, pred) == 0.25
    assert rmse(true, pred) == pytest.approx(math.sqrt(5 / 4))
    assert r2(true, pred) == pytest.approx(1 - 5 / 44)


def test_mean_of_the_true_values_scores_one(values: tuple[np.ndarray, np.ndarray]) -> None:
    true, _ = values
    assert mase(true, np.full_like(true, true.mean())) == pytest.approx(1.0)


def test_mase_does_not_depend_on_the_unit(values: tuple[np.ndarray, np.ndarray]) -> None:
    true, pred = values
    assert mase(1000 * true, 1000 * pred) == pytest.approx(mase(true, pred))


@pytest.mark.parametrize("true", [[2.0, 2.0], [0.0, 0.0], [0.1, 0.1, 0.1], [0.3, 0.1 + 0.2], [-1e9 / 3] * 7])
def test_equal_true_values_have_no_scale(true: list[float]) -> None:
    scores = score(true, [value + 1 for value in true])
    assert scores.mae == pytest.approx(1)
    assert math.isnan(scores.mase)
    assert math.isnan(scores.r2)


@pytest.mark.parametrize(
    ("true", "pred"),
    [([], []), ([1.0], [1.0, 2.0]), ([1.0, math.nan], [1.0, 1.0]), ([1.0], [math.inf]), ([[1.0]], [[1.0]])],
)
def test_what_cannot_be_scored_is_refused(true: list[float], pred: list[float]) -> None:
    with pytest.raises(ValueError, match="true"):
        score(true, pred)


CLASSES = ("BMG", "RMG", "CRA", "never there")


@pytest.mark.parametrize("n_classes", [1, 2, 3])
@pytest.mark.parametrize("n_predicted", [1, 3])
def test_scores_of_classes_agree_with_scikit_learn(n_classes: int, n_predicted: int) -> None:
    generator = np.random.default_rng(n_classes)
    true = generator.choice(CLASSES[:n_classes], 40)
    pred = np.where(generator.random(40) < 0.5, true, generator.choice(CLASSES[:n_predicted], 40))
    scores = score_classes(true, pred, CLASSES)
    assert scores.accuracy == accuracy_score(true, pred)
    assert scores.macro_f1 == pytest.approx(f1_score(true, pred, average="macro"))
    expected = precision_recall_fscore_support(true, pred, labels=CLASSES, zero_division=np.nan)
    got = np.array([[s.precision, s.recall, s.f1, s.support] for s in scores.per_class.values()])
    np.testing.assert_allclose(got.T, expected)


def test_hand_made_scores_of_classes() -> None:
    scores = score_classes(["a", "a", "b", "b"], ["a", "b", "b", "b"], ("b", "a"))
    assert scores.accuracy == 0.75
    assert scores.macro_f1 == pytest.approx((2 / 3 + 4 / 5) / 2)
    assert list(scores.per_class) == ["b", "a"]
    assert (scores.per_class["b"].precision, scores.per_class["b"].recall) == (2 / 3, 1.0)


@pytest.mark.parametrize(
    ("true", "pred"), [([], []), (["a"], ["a", "b"]), (["a"], ["c"]), ([None], ["a"]), (["a"], [math.nan])]
)
def test_classes_that_cannot_be_scored_are_refused(true: list[object], pred: list[object]) -> None:
    with pytest.raises(ValueError, match="true"):
        score_classes(true, pred, ("a", "b"))
