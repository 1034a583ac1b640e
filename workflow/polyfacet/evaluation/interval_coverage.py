"""How often conformal intervals contain the true value, and how wide they have to be for that.

They are calibrated on the validation rows of a cell, which its model was not fitted on.  The same rows may
have chosen the epoch of that model, or the method: the coverage is measured on the test part, not promised.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from polyfacet.config.composition import GreyLevelRows
from polyfacet.evaluation.conformal import (
    ClassCalibration,
    NumberCalibration,
    probability_matrix,
    why_not_calibrated,
)
from polyfacet.evaluation.corrected_t import CorrectedMean
from polyfacet.evaluation.equal_repeats import objectives_with_equal_repeats
from polyfacet.evaluation.held_out import HeldOut, identity_of
from polyfacet.evaluation.interval_level import LEVEL
from polyfacet.evaluation.metrics import mean_absolute_deviation
from polyfacet.evaluation.scores import NO_COMMON_ROWS
from polyfacet.evaluation.tables import KEYS
from polyfacet.facets.registry import COMPIMAGE, SEPARATOR
from polyfacet.runtime.parquet import column
from polyfacet.training.cells import IDENTITY

INTERVALS = pa.schema(
    [
        *IDENTITY,
        column("n_calibration", pa.int64(), "validation rows of the cell, which calibrate"),
        column("n_test", pa.int64(), "test values: those that all cells predicted, except failed ones"),
        column(
            "coverage",
            pa.float64(),
            f"share of the test values inside their {LEVEL:.0%} interval, or of the classes in their set",
            nullable=True,
        ),
        column(
            "width",
            pa.float64(),
            "mean width of the intervals; for classes, mean number of classes in a set",
            "that of the objective for numbers",
            nullable=True,
        ),
        column(
            "width_mad",
            pa.float64(),
            "width over the mean absolute deviation of the test values; missing for classes, and if all test "
            "values are equal",
            nullable=True,
        ),
        column("reason", pa.string(), "why there are no intervals", nullable=True),
    ]
)
COVERAGES = ("mean", "low", "high", "n_repeats")


def assess_intervals(
    held_out: HeldOut, tested: Mapping[int, pd.DataFrame], fit: GreyLevelRows = "train"
) -> pd.DataFrame:
    """Calibrate and check the intervals of all cells.

    Parameters
    ----------
    held_out
        Predictions of the run.
    tested
        Those on common test rows, by position of the cell; see `HeldOut.tested`.
    fit
        Rows that the grey levels of composition images are fitted on.  If all, no rows are left to calibrate
        cells with these images.

    Returns
    -------
    pandas.DataFrame
        Rows of ``INTERVALS``, in the order of the cells.
    """
    rows = []
    for position, cell in enumerate(held_out.cells):
        calibration = held_out.calibrating(position)
        test = tested.get(position, calibration[:0])
        counts = {"n_calibration": len(calibration), "n_test": len(test)}
        rows.append(identity_of(cell) | counts | _assessed(cell, calibration, test, fit))
    return pd.DataFrame(rows, columns=INTERVALS.names)


def _assessed(
    cell: Mapping[str, Any], calibration: pd.DataFrame, test: pd.DataFrame, fit: GreyLevelRows
) -> dict[str, Any]:
    """Return coverage and width, or the reason for which there are none."""
    classes = list(cell["classes"])
    untouched = fit == "train" or COMPIMAGE.name not in cell["combination"].split(SEPARATOR)
    reason = cell["reason"] or why_not_calibrated(calibration, classes, untouched, part="validation")
    reason = reason or (NO_COMMON_ROWS if test.empty else None)
    if reason:
        return {"coverage": np.nan, "width": np.nan, "width_mad": np.nan, "reason": reason}
    coverage, width, width_mad = (
        _of_classes(classes, calibration, test) if classes else _of_numbers(calibration, test)
    )
    return {"coverage": coverage, "width": width, "width_mad": width_mad, "reason": None}


def _of_numbers(calibration: pd.DataFrame, test: pd.DataFrame) -> tuple[float, float, float]:
    fitted = NumberCalibration(calibration["y_true"].to_numpy(), calibration["y_pred"].to_numpy())
    found = fitted.intervals(test["y_pred"].to_numpy())
    true = test["y_true"].to_numpy()
    width = float((found.upper - found.lower).mean())
    return float(found.contain(true).mean()), width, width / mean_absolute_deviation(true)


def _of_classes(
    classes: Sequence[str], calibration: pd.DataFrame, test: pd.DataFrame
) -> tuple[float, float, float]:
    fitted = ClassCalibration(
        classes,
        list(calibration["true_class"]),
        probability_matrix(calibration["probabilities"], classes),
    )
    sets = fitted.sets(probability_matrix(test["probabilities"], classes))
    covered = [true in found for true, found in zip(test["true_class"], sets, strict=True)]
    return float(np.mean(covered)), float(np.mean([len(found) for found in sets])), np.nan


def mean_coverage(intervals: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """Compute the mean coverage over repeats and objectives, with its 95 % interval.

    Parameters
    ----------
    intervals
        Rows of ``INTERVALS`` of the cells that count; those without intervals are left out.
    cells
        Table of ``CELLS``.

    Returns
    -------
    pandas.DataFrame
        ``source``, ``split``, and ``mean``, ``low``, ``high``, ``n_repeats``.  The coverages of one repeat,
        which are on the same materials, are averaged; the interval is the corrected one of
        `polyfacet.evaluation.corrected_t` over the repeats, missing for one repeat or where repeats
        of an objective are tested on the same materials.
    """
    known = intervals[intervals["coverage"].notna()].merge(cells[[*KEYS, "n_train"]], on=KEYS)
    equal = objectives_with_equal_repeats(cells)
    rows = []
    for (source, split), own in known.groupby(["source", "split"], sort=False):
        of_repeats = own.groupby("repeat")["coverage"].mean()
        has_equal = any((source, split, objective) in equal for objective in own["objective"].unique())
        ratio = np.nan if has_equal else float((own["n_test"] / own["n_train"]).mean())
        found = CorrectedMean.of(of_repeats, ratio)
        values = (found.mean, *found.interval(), found.n_repeats)
        rows.append({"source": source, "split": split, **dict(zip(COVERAGES, values, strict=True))})
    return pd.DataFrame(rows, columns=["source", "split", *COVERAGES])
