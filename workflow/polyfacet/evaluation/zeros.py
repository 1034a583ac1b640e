"""Objectives whose zero has a meaning: whether predictions tell zero from not zero, metal from insulator.

A method that predicts numbers never predicts exactly zero.  What it predicts above a threshold counts as not
zero; the threshold is the one that divides the validation rows best.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from sklearn.metrics import cohen_kappa_score, f1_score, mean_absolute_error, roc_auc_score, roc_curve

from polyfacet.evaluation.held_out import HeldOut, identity_of
from polyfacet.evaluation.scores import NO_COMMON_ROWS
from polyfacet.runtime.parquet import column
from polyfacet.training.cells import IDENTITY

Array = NDArray[np.float64]
ONE_SIDED_TEST = "all test values are zero, or none is"
ONE_SIDED_VALID = "all validation values are zero, or none is: there is no threshold"
ONE_PREDICTION = "all validation predictions are equal: there is no threshold"
NO_VALIDATION = "there are no validation rows to find a threshold on"


def _score(name: str, meaning: str, unit: str = "") -> pa.Field:
    return column(name, pa.float64(), meaning, unit, nullable=True)


ZEROS = pa.schema(
    [
        *IDENTITY,
        column("zero", pa.string(), "what materials are called whose value is zero"),
        column("nonzero", pa.string(), "what all others are called"),
        column("n_test", pa.int64(), "test values: those that all cells predicted, except failed ones"),
        column("n_zero", pa.int64(), "test values that are zero"),
        _score("auc", "area under the ROC curve of the predicted value; 0.5 by chance"),
        _score("f1", "F1 of the materials that are not zero"),
        _score("kappa", "Cohen's kappa; 0 by chance"),
        _score(
            "threshold",
            "predictions above it count as not zero; it maximizes Youden's J on the validation rows",
            "that of the objective",
        ),
        _score("mae_nonzero", "mean absolute error on materials that are not zero", "that of the objective"),
        column("reason", pa.string(), "why scores are missing", nullable=True),
    ]
)


def assess_zeros(
    held_out: HeldOut,
    tested: Mapping[int, pd.DataFrame],
    objectives: Mapping[str, Mapping[str, Sequence[str]]],
) -> pd.DataFrame:
    """Score the decision between zero and not zero.

    Parameters
    ----------
    held_out
        Predictions of the run.
    tested
        Those on common test rows, by position of the cell; see `HeldOut.tested`.
    objectives
        Source to those of its objectives whose zero has a meaning, and what materials are called whose value
        is zero, and all others.

    Returns
    -------
    pandas.DataFrame
        Rows of ``ZEROS``, in the order of the cells.
    """
    rows = []
    for position, cell in enumerate(held_out.cells):
        names = objectives.get(cell["source"], {}).get(cell["objective"])
        if not names:
            continue
        validation = held_out.calibrating(position)
        test = tested.get(position, validation[:0])
        counts = {"n_test": len(test), "n_zero": int((test["y_true"] <= 0).sum())}
        reason = cell["reason"] or (NO_COMMON_ROWS if test.empty else None)
        found = {"reason": reason} if reason else {"reason": None} | _scores(validation, test)
        rows.append(identity_of(cell) | dict(zip(("zero", "nonzero"), names, strict=True)) | counts | found)
    table = pd.DataFrame(rows, columns=ZEROS.names)
    return table.astype(dict.fromkeys(("auc", "f1", "kappa", "threshold", "mae_nonzero"), float))


def _scores(validation: pd.DataFrame, test: pd.DataFrame) -> dict[str, Any]:
    true, predicted = test["y_true"].to_numpy(), test["y_pred"].to_numpy()
    nonzero = true > 0
    found: dict[str, Any] = {}
    if nonzero.any():
        found["mae_nonzero"] = mean_absolute_error(true[nonzero], predicted[nonzero])
    if nonzero.all() or not nonzero.any():
        return found | {"reason": ONE_SIDED_TEST}
    found["auc"] = roc_auc_score(nonzero, predicted)
    if reason := _why_no_threshold(validation):
        return found | {"reason": reason}
    threshold = best_threshold(validation["y_true"].to_numpy() > 0, validation["y_pred"].to_numpy())
    above = predicted > threshold
    return found | {
        "threshold": threshold,
        "f1": f1_score(nonzero, above, zero_division=0),
        "kappa": cohen_kappa_score(nonzero, above),
    }


def _why_no_threshold(validation: pd.DataFrame) -> str | None:
    if validation.empty:
        return NO_VALIDATION
    if (validation["y_true"] > 0).nunique() == 1:
        return ONE_SIDED_VALID
    # A baseline that always predicts one number: that of another fit is above or below it by chance.
    return ONE_PREDICTION if validation["y_pred"].nunique() == 1 else None


def best_threshold(nonzero: NDArray[np.bool_], predicted: Array) -> float:
    """Return the threshold that maximizes Youden's J: sensitivity + specificity - 1.

    Parameters
    ----------
    nonzero
        Whether each true value is not zero, shape ``(rows,)``; both occur.
    predicted
        Predicted values, shape ``(rows,)``.

    Returns
    -------
    float
        The middle between the neighbouring predictions, or the highest prediction if nothing is better than
        to call all zero.
    """
    false, right, limits = roc_curve(nonzero, predicted, drop_intermediate=False)
    best = limits[int(np.argmax(right - false))]
    lower = predicted[predicted < best]
    if not np.isfinite(best):
        return float(predicted.max())
    # Below all predictions: everything is called not zero.
    return float((best + lower.max()) / 2) if len(lower) else float(np.nextafter(best, -np.inf))
