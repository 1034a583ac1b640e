"""Intervals and sets of classes of a bundle, from its predictions for the test materials."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from polyfacet.evaluation.conformal import (
    ClassCalibration,
    NumberCalibration,
    probability_matrix,
    why_not_calibrated,
)
from polyfacet.runtime.parquet import read_table
from polyfacet.training.bundles.description import CALIBRATION_FILE, BundleDescription
from polyfacet.training.bundles.writing import CALIBRATION


class Calibration:
    """What is known of the error of a bundle's predictions.

    Attributes
    ----------
    why_not
        Why there are no intervals or sets of classes; None if there are.
    """

    def __init__(self, folder: Path, bundle: BundleDescription) -> None:
        rows = read_table(folder / CALIBRATION_FILE, CALIBRATION)
        self._classes = bundle.objective.classes
        self.why_not = why_not_calibrated(rows, self._classes, bundle.calibrated)
        self._numbers: NumberCalibration | None = None
        self._sets: ClassCalibration | None = None
        if self.why_not is not None:
            return
        if self._classes:
            probabilities = probability_matrix(rows["probabilities"], self._classes)
            self._sets = ClassCalibration(self._classes, list(rows["true_class"]), probabilities)
        else:
            self._numbers = NumberCalibration(rows["y_true"].to_numpy(float), rows["y_pred"].to_numpy(float))

    def intervals(self, predicted: NDArray[np.float64]) -> dict[str, Any]:
        """Return the columns ``lower`` and ``upper`` of predicted numbers; NaN without intervals."""
        if self._numbers is None:
            return dict.fromkeys(("lower", "upper"), np.full(len(predicted), np.nan))
        found = self._numbers.intervals(predicted)
        return {"lower": found.lower, "upper": found.upper}

    def sets(self, probabilities: NDArray[np.float64] | None, index: pd.Index) -> pd.Series:
        """Return the column ``prediction_set`` of predicted classes; None without sets."""
        if self._sets is None or probabilities is None:
            return pd.Series(None, index, dtype=object)
        return pd.Series(self._sets.sets(probabilities), index, dtype=object)
