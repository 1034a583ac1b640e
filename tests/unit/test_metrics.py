"""Metrics against numbers worked out by hand, and what cannot be scored."""

import math

import numpy as np
import pytest
from sklearn import metrics

from polyfacet.evaluation.metrics import scores_of_classes, scores_of_numbers
from polyfacet.evaluation.score_names import OF_ONE_CLASS, scores_of


@pytest.fixture(params=range(3))
def values(request: pytest.FixtureRequest) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(request.param)
    true = generator.normal(size=37) * 10.0**request.param
    return true, true + generator.normal(size=37)


def test_hand_made_numbers() -> None:
    # The mean is 3, the deviations from it 3, 3, 1 and 5.
    scores = scores_of_numbers([0.0, 0.0, 4.0, 8.0], [0.0, 1.0, 4.0, 6.0])
    assert scores == {
        "mae": 0.75,
        "mase": 0.25,
        "rmse": pytest.approx(math.sqrt(5 / 4)),
        "r2": pytest.approx(1 - 5 / 44),
    }


def test_mean_of_the_true_values_scores_one(values: tuple[np.ndarray, np.ndarray]) -> None:
    true, _ = values
    assert scores_of_numbers(true, np.full_like(true, true.mean()))["mase"] == pytest.approx(1.0)


@pytest.mark.parametrize("unit", [2.0**-1000, 2.0**-600, 2.0**600, 2.0**900])
def test_errors_are_the_same_in_any_unit(values: tuple[np.ndarray, np.ndarray], unit: float) -> None:
    true, pred = values
    expected = scores_of_numbers(true, pred)
    found = scores_of_numbers(unit * true, unit * pred)
    assert found == {**expected, "mae": unit * expected["mae"], "rmse": unit * expected["rmse"]}


def test_mase_does_not_depend_on_the_unit(values: tuple[np.ndarray, np.ndarray]) -> None:
    true, pred = values
    scores, scaled = scores_of_numbers(true, pred), scores_of_numbers(1000 * true, 1000 * pred)
    assert scaled["mase"] == pytest.approx(scores["mase"])
    assert scaled["mae"] == pytest.approx(1000 * scores["mae"])


@pytest.mark.parametrize("true", [[2.0, 2.0], [0.0, 0.0], [0.1, 0.1, 0.1], [0.3, 0.1 + 0.2], [-1e9 / 3] * 7])
def test_equal_true_values_have_no_scale(true: list[float]) -> None:
    scores = scores_of_numbers(true, [value + 1 for value in true])
    assert scores["mae"] == pytest.approx(1)
    assert math.isnan(scores["mase"])
    assert math.isnan(scores["r2"])


@pytest.mark.parametrize(
    ("true", "pred"),
    [([], []), ([1.0], [1.0, 2.0]), ([1.0, math.nan], [1.0, 1.0]), ([1.0], [math.inf]), ([[1.0]], [[1.0]])],
)
def test_what_cannot_be_scored_is_refused(true: list[float], pred: list[float]) -> None:
    with pytest.raises(ValueError, match="true"):
        scores_of_numbers(true, pred)


def test_hand_made_scores_of_classes() -> None:
    scores = scores_of_classes(["a", "a", "b", "b"], ["a", "b", "b", "b"], ("b", "a", "never"))
    assert list(scores) == ["all", "b", "a", "never"]
    # The class that occurs nowhere does not count in the mean.
    assert scores["all"] == {"accuracy": 0.75, "macro_f1": pytest.approx((2 / 3 + 4 / 5) / 2)}
    assert scores["b"] == {"precision": 2 / 3, "recall": 1.0, "f1": pytest.approx(4 / 5)}
    assert scores["a"] == {"precision": 1.0, "recall": 0.5, "f1": pytest.approx(2 / 3)}
    assert all(math.isnan(value) for value in scores["never"].values())


def test_a_class_that_is_never_predicted_has_no_precision_and_the_f1_of_zero() -> None:
    scores = scores_of_classes(["a", "b"], ["b", "b"], ("a", "b"))
    assert math.isnan(scores["a"]["precision"])
    assert (scores["a"]["recall"], scores["a"]["f1"]) == (0.0, 0.0)
    assert scores["all"]["macro_f1"] == pytest.approx((0 + 2 / 3) / 2)


@pytest.mark.parametrize(
    ("true", "pred"), [([], []), (["a"], ["a", "b"]), (["a"], ["c"]), ([None], ["a"]), (["a"], [math.nan])]
)
def test_classes_that_cannot_be_scored_are_refused(true: list[object], pred: list[object]) -> None:
    with pytest.raises(ValueError, match="true"):
        scores_of_classes(true, pred, ("a", "b"))


def test_the_list_of_scores_is_what_is_computed() -> None:
    numbers = scores_of_numbers([0.0, 1.0], [0.0, 1.0])
    assert scores_of([]) == [("all", metric) for metric in numbers]
    classes = scores_of_classes(["a"], ["b"], ["a", "b"])
    assert scores_of(["a", "b"]) == [(name, metric) for name, values in classes.items() for metric in values]


@pytest.mark.parametrize("seed", range(5))
def test_scores_of_numbers_are_those_of_scikit_learn(seed: int) -> None:
    random = np.random.default_rng(seed)
    true, predicted = random.normal(3, 2, size=(2, 40))
    found = scores_of_numbers(true, predicted)
    assert found["mae"] == pytest.approx(metrics.mean_absolute_error(true, predicted))
    assert found["rmse"] == pytest.approx(metrics.root_mean_squared_error(true, predicted))
    assert found["r2"] == pytest.approx(metrics.r2_score(true, predicted))


@pytest.mark.parametrize("seed", range(5))
def test_scores_of_classes_are_those_of_scikit_learn(seed: int) -> None:
    # The last class neither occurs nor is predicted; with few rows, others may be missing on one side.
    classes = ["a", "b", "c", "d"]
    true, predicted = np.random.default_rng(seed).choice(classes[:3], size=(2, 6))
    found = scores_of_classes(true, predicted, classes)
    assert found["all"]["accuracy"] == metrics.accuracy_score(true, predicted)
    assert found["all"]["macro_f1"] == pytest.approx(metrics.f1_score(true, predicted, average="macro"))
    expected = metrics.precision_recall_fscore_support(true, predicted, labels=classes, zero_division=np.nan)
    for i, name in enumerate(classes):
        values = [of_all[i] for of_all in expected[:3]]
        np.testing.assert_allclose([found[name][each] for each in OF_ONE_CLASS], values)
