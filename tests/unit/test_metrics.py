"""Metrics against scikit-learn and against numbers worked out by hand."""

import math

import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from polyfacet.metrics import mae, mase, mean_absolute_deviation, r2, rmse, score


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


def test_equal_true_values_have_no_scale() -> None:
    scores = score([2.0, 2.0], [1.0, 2.0])
    assert scores.mae == 0.5
    assert math.isnan(scores.mase)
    assert math.isnan(scores.r2)


@pytest.mark.parametrize(
    ("true", "pred"),
    [([], []), ([1.0], [1.0, 2.0]), ([1.0, math.nan], [1.0, 1.0]), ([1.0], [math.inf]), ([[1.0]], [[1.0]])],
)
def test_what_cannot_be_scored_is_refused(true: list[float], pred: list[float]) -> None:
    with pytest.raises(ValueError, match="true"):
        score(true, pred)
