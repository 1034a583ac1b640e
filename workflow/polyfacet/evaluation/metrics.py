"""Score predictions: MAE, MASE, RMSE, R2 of numbers; accuracy, precision, recall, F1 of classes."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from polyfacet.evaluation.score_names import ALL, OF_ONE_CLASS
from polyfacet.training.powers_of_two import divided, exponents_of

# Values that differ by less than this share of the largest one count as equal.
ROUNDING = 1e-12


def scores_of_numbers(y_true: ArrayLike, y_pred: ArrayLike) -> dict[str, float]:
    """Compute the errors of predicted numbers.

    Parameters
    ----------
    y_true, y_pred
        True and predicted values, shape ``(n,)``, n >= 1, in the unit of the objective.

    Returns
    -------
    dict
        ``mae`` and ``rmse`` in that unit; ``mase``, the MAE over the mean absolute deviation of the true
        values around their mean: 1 for always predicting that mean, 0 for perfect predictions; ``r2``.  The
        last two are NaN if all true values are equal, as there is no variation to explain.

    Raises
    ------
    ValueError
        If the shapes differ, there are no rows, or a value is not finite.
    """
    true, pred = np.asarray(y_true, dtype=np.float64), np.asarray(y_pred, dtype=np.float64)
    _check_shapes(true, pred)
    if not (np.isfinite(true).all() and np.isfinite(pred).all()):
        raise ValueError("true or predicted values are not all finite")
    mae = float(np.abs(true - pred).mean())
    deviation = mean_absolute_deviation(true)
    # Squares of very small numbers are zero.
    exponent = int(exponents_of(np.concatenate([true, pred])))
    true, pred = divided(true, exponent), divided(pred, exponent)
    squared_error = float(np.square(true - pred).mean())
    return {
        "mae": mae,
        "mase": mae / deviation,
        "rmse": math.ldexp(math.sqrt(squared_error), exponent),
        "r2": math.nan if math.isnan(deviation) else _explained(squared_error, float(true.var())),
    }


def _explained(squared_error: float, variance: float) -> float:
    """Return the explained share of a variance; 0 if it is negligible next to the errors."""
    if variance:
        return 1 - squared_error / variance
    return 0.0 if squared_error else 1.0


def mean_absolute_deviation(values: NDArray[np.float64]) -> float:
    """Return the mean absolute deviation of values from their mean; NaN if they are all equal."""
    deviation = float(np.abs(values - values.mean()).mean())
    return deviation if deviation > ROUNDING * float(np.abs(values).max()) else float("nan")


def scores_of_classes(
    y_true: ArrayLike, y_pred: ArrayLike, classes: Sequence[str]
) -> Mapping[str, dict[str, float]]:
    """Compute the scores of predicted classes.

    Parameters
    ----------
    y_true, y_pred
        True and predicted names of classes, shape ``(n,)``, n >= 1.
    classes
        All names, in the order of the result.

    Returns
    -------
    dict
        ``all`` to ``accuracy`` and ``macro_f1`` (mean F1 of the classes that occur among true or predicted
        ones); each class to ``precision``, ``recall`` and ``f1``, NaN where the denominator is 0.

    Raises
    ------
    ValueError
        If the shapes differ, there are no rows, or a name is not among ``classes``.
    """
    true, pred = np.asarray(y_true, dtype=object), np.asarray(y_pred, dtype=object)
    _check_shapes(true, pred)
    unknown = {str(name) for name in np.concatenate([true, pred]) if name not in classes}
    if unknown:
        raise ValueError(f"true or predicted values {sorted(unknown)} are not among {list(classes)}")
    number = {name: i for i, name in enumerate(classes)}
    true, pred = (np.array([number[name] for name in names]) for names in (true, pred))
    n_true, n_pred, n_right = (
        np.bincount(codes, minlength=len(classes)) for codes in (true, pred, true[true == pred])
    )
    with np.errstate(invalid="ignore"):
        found = np.stack([n_right / n_pred, n_right / n_true, 2 * n_right / (n_true + n_pred)])
    overall = {
        "accuracy": float((true == pred).mean()),
        "macro_f1": float(np.nanmean(found[-1])),
    }
    by_class = {
        name: dict(zip(OF_ONE_CLASS, map(float, values), strict=True))
        for name, values in zip(classes, found.T, strict=True)
    }
    return {ALL: overall, **by_class}


def _check_shapes(true: np.ndarray, pred: np.ndarray) -> None:
    if true.shape != pred.shape or true.ndim != 1 or true.size == 0:
        raise ValueError(f"true and predicted values need equal 1D shapes, not {true.shape}, {pred.shape}")
