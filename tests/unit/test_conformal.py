"""Intervals and sets of classes hold their level on exchangeable data; too few rows have none."""

import numpy as np
import pandas as pd
import pytest

from polyfacet.evaluation.conformal import (
    LEVEL,
    ClassCalibration,
    NumberCalibration,
    min_rows,
    probability_matrix,
    why_not_calibrated,
)

CLASSES = ("a", "b", "c")


@pytest.mark.parametrize("n_calibration", [9, 10, 19, 30, 100])
def test_intervals_cover_the_level_of_exchangeable_numbers(n_calibration: int) -> None:
    """The mean coverage over calibrations is the level, or above it by less than a row."""
    generator = np.random.default_rng(n_calibration)
    covered = []
    for _ in range(400):
        true = generator.standard_t(3, n_calibration + 100)
        predicted = 0.2 * true + generator.exponential(size=len(true))
        calibration, new = slice(0, n_calibration), slice(n_calibration, None)
        found = NumberCalibration(true[calibration], predicted[calibration]).intervals(predicted[new])
        covered.append(found.contain(true[new]).mean())
    # Standard error of the mean over 400 calibrations: less than 0.005.
    assert LEVEL - 0.01 < np.mean(covered) < LEVEL + 1 / (n_calibration + 1) + 0.01


def test_values_on_a_limit_are_inside_whatever_is_rounded() -> None:
    # All errors are 0.2, which no binary number is; without tolerance, a part of them would be outside.
    predicted = np.arange(1000) / 10
    true = np.arange(2, 1002) / 10
    found = NumberCalibration(true[:10], predicted[:10]).intervals(predicted)
    assert not (true <= found.upper).all()
    assert found.contain(true).all()
    assert not found.contain(true + 1e-6).any()
    assert not found.contain(predicted - 0.2 - 1e-6).any()


def probabilities_and_classes(generator: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw classes with other probabilities than a model states."""
    stated = generator.dirichlet([1.0, 1.0, 1.0], n)
    actual = (stated**2) / (stated**2).sum(axis=1, keepdims=True)
    drawn = [generator.choice(CLASSES, p=row) for row in actual]
    return stated, np.array(drawn, dtype=object)


@pytest.mark.parametrize("n_calibration", [9, 19, 50])
def test_sets_cover_the_level_of_exchangeable_classes(n_calibration: int) -> None:
    generator = np.random.default_rng(2)
    covered = []
    for _ in range(200):
        stated, true = probabilities_and_classes(generator, n_calibration + 50)
        calibration, new = slice(0, n_calibration), slice(n_calibration, None)
        sets = ClassCalibration(CLASSES, list(true[calibration]), stated[calibration]).sets(stated[new])
        covered.append(np.mean([name in found for name, found in zip(true[new], sets, strict=True)]))
    # Standard error of the mean over 200 calibrations: at most 0.007.
    assert LEVEL - 0.02 < np.mean(covered) < LEVEL + 1 / (n_calibration + 1) / 2 + 0.015


def test_a_set_begins_with_its_most_probable_class() -> None:
    stated, true = probabilities_and_classes(np.random.default_rng(3), 60)
    sets = ClassCalibration(CLASSES, list(true), stated).sets(stated)
    assert all(found[0] == CLASSES[row.argmax()] for found, row in zip(sets, stated, strict=True) if found)


def test_nine_rows_are_the_fewest_for_ninety_percent() -> None:
    n = min_rows()
    assert n == 9
    generator = np.random.default_rng(4)
    limits = NumberCalibration(generator.normal(size=n), np.zeros(n)).intervals(np.zeros(3))
    assert np.isfinite(limits.lower).all()
    assert np.isfinite(limits.upper).all()
    with pytest.raises(ValueError, match="8 calibration materials are too few for 90%: 9 are needed"):
        NumberCalibration(np.zeros(n - 1), np.zeros(n - 1))


def rows(n: int, probabilities: object = None) -> pd.DataFrame:
    return pd.DataFrame({"mat_id": range(n), "probabilities": [probabilities] * n})


@pytest.mark.parametrize(
    ("table", "classes", "untouched", "reason"),
    [
        (rows(9), (), True, None),
        (rows(8), (), True, "90% needs 9 test materials, and there are 8"),
        (rows(9), (), False, "fitted on the test materials"),
        (rows(9), CLASSES, True, "no class probabilities"),
        (rows(9, [("a", 1.0), ("b", 0.0), ("c", 0.0)]), CLASSES, True, None),
    ],
)
def test_the_reason_for_missing_intervals_is_known(table, classes, untouched, reason) -> None:
    found = why_not_calibrated(table, classes, untouched)
    assert found is None if reason is None else reason in str(found)


def test_probabilities_are_read_in_the_order_of_the_classes() -> None:
    column = pd.Series([[("b", 0.1), ("a", 0.7), ("c", 0.2)]])
    np.testing.assert_array_equal(probability_matrix(column, CLASSES), [[0.7, 0.1, 0.2]])
