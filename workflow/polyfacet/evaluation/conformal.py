"""Prediction intervals and prediction sets by split conformal prediction.

They hold their level for new materials that are exchangeable with the calibration materials, whatever the
model is (Vovk, Gammerman and Shafer, "Algorithmic Learning in a Random World", 2005).  Calibration materials
must not have been used to fit or choose anything.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from crepes import ConformalClassifier, ConformalRegressor
from crepes.extras import hinge
from numpy.typing import NDArray

from polyfacet.evaluation.interval_level import LEVEL

Array = NDArray[np.float64]

# Of limits, which are sums of predictions and errors, relative to the larger one.
ROUNDING = 1e-9


@dataclass(frozen=True)
class Intervals:
    """Lower and upper limits, in the unit of the objective, shape (materials,)."""

    lower: Array
    upper: Array

    def contain(self, values: Array) -> NDArray[np.bool_]:
        """Return whether each interval contains its value; one on a limit is inside, whatever is rounded."""
        slack = ROUNDING * np.maximum(np.abs(self.lower), np.abs(self.upper))
        inside: NDArray[np.bool_] = (self.lower - slack <= values) & (values <= self.upper + slack)
        return inside


def min_rows(level: float = LEVEL) -> int:
    """Return how many calibration materials a level needs: with fewer, only infinite intervals hold it."""
    n = 1
    # The condition under which crepes has a finite answer.
    while int((1 - _confidence(level)) * (n + 1)) < 1:
        n += 1
    return n


def _confidence(level: float) -> float:
    """Return the level that crepes is called with: 1 - 0.9 is less than a tenth, and it compares exactly."""
    return float(np.nextafter(level, 0))


def _check_rows(n: int, level: float) -> None:
    if n < min_rows(level):
        raise ValueError(
            f"{n} calibration materials are too few for {level:.0%}: {min_rows(level)} are needed"
        )


class NumberCalibration:
    """Intervals around predicted numbers: all have the same width.

    Parameters
    ----------
    y_true, y_pred
        True and predicted values of the calibration materials, at least `min_rows`.
    """

    def __init__(self, y_true: Array, y_pred: Array, level: float = LEVEL) -> None:
        self._level = level
        _check_rows(len(y_true), level)
        self._regressor = ConformalRegressor().fit(np.asarray(y_true) - np.asarray(y_pred))

    def intervals(self, predicted: Array) -> Intervals:
        """Return the interval of each prediction."""
        limits = self._regressor.predict_int(predicted, confidence=_confidence(self._level))
        return Intervals(limits[:, 0], limits[:, 1])


class ClassCalibration:
    """Sets of classes that contain the true one.

    Parameters
    ----------
    classes
        Names of the classes.
    true
        True classes of the calibration materials.
    probabilities
        Their class probabilities, shape (materials, classes).
    """

    def __init__(
        self, classes: Sequence[str], true: Sequence[str], probabilities: Array, level: float = LEVEL
    ) -> None:
        self._level, self._classes = level, np.array(classes, dtype=object)
        _check_rows(len(true), level)
        order = np.arange(len(classes))
        index = {name: i for i, name in enumerate(classes)}
        codes = np.array([index[name] for name in true], dtype=np.int64)
        self._classifier = ConformalClassifier().fit(hinge(probabilities, order, codes), seed=0)

    def sets(self, probabilities: Array) -> list[list[str]]:
        """Return the set of each material, the likeliest class first; empty if no class is plausible."""
        confidence = _confidence(self._level)
        inside = self._classifier.predict_set(hinge(probabilities), confidence=confidence, smoothing=False)
        order = np.argsort(-probabilities, axis=1, kind="stable")
        return [
            [str(self._classes[j]) for j in ranks if row[j]] for ranks, row in zip(order, inside, strict=True)
        ]


def probability_matrix(column: pd.Series, classes: Sequence[str]) -> Array:
    """Return the column ``probabilities`` of predictions as an array, shape (materials, classes)."""
    return np.array([[dict(row)[name] for name in classes] for row in column], dtype=np.float64).reshape(
        len(column), len(classes)
    )


def why_not_calibrated(
    rows: pd.DataFrame, classes: Sequence[str], untouched: bool, part: str = "test"
) -> str | None:
    """Return why predictions have no intervals or sets of classes; None if they have.

    Parameters
    ----------
    rows
        Predictions for the materials to calibrate on.
    classes
        Names of the classes; empty for numbers.
    untouched
        Whether nothing was fitted on these materials.
    part
        What to call them.
    """
    if not untouched:
        return f"a facet was fitted on the {part} materials, too (`composition.fit: all`)"
    if len(rows) < min_rows():
        return f"{LEVEL:.0%} needs {min_rows()} {part} materials, and there are {len(rows)}"
    if len(classes) and rows["probabilities"].isna().any():
        return "the model has no class probabilities"
    return None
