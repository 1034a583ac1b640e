"""How good predictions are: MAE, MASE, RMSE, R2 of numbers; accuracy, precision, recall, F1 of classes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

# Values that differ by less than this share of the largest of them are equal.
ROUNDING = 1e-12


@dataclass(frozen=True)
class Scores:
    """Errors of one set of predictions."""

    # In the unit of the target.
    mae: float
    rmse: float
    # Without unit; NaN where all true values are equal.
    mase: float
    r2: float


def score(y_true: ArrayLike, y_pred: ArrayLike) -> Scores:
    """Compute all errors of predictions.

    Parameters
    ----------
    y_true, y_pred
        True and predicted values, shape ``(n,)``, n >= 1, in the unit of the target.

    Raises
    ------
    ValueError
        If the shapes differ, there are no rows, or a value is not finite.
    """
    true, pred = _checked(y_true, y_pred)
    return Scores(mae=mae(true, pred), rmse=rmse(true, pred), mase=mase(true, pred), r2=r2(true, pred))


def mae(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Mean absolute error, in the unit of the target."""
    true, pred = _checked(y_true, y_pred)
    return float(np.mean(np.abs(true - pred)))


def rmse(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Root mean squared error, in the unit of the target."""
    true, pred = _checked(y_true, y_pred)
    return float(np.sqrt(np.mean((true - pred) ** 2)))


def mean_absolute_deviation(y_true: ArrayLike) -> float:
    """Mean absolute deviation of values around their mean: the MAE of always answering that mean."""
    true = np.asarray(y_true, dtype=np.float64)
    return mae(true, np.full_like(true, true.mean()))


def mase(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Mean absolute scaled error: MAE over the mean absolute deviation of the true values.

    It is 1 for the mean of the true values and 0 for perfect answers, whatever the unit of the target.  NaN
    where all true values are equal, as there is nothing to tell apart.
    """
    deviation = mean_absolute_deviation(y_true)
    return mae(y_true, y_pred) / deviation if deviation > _rounding(y_true) else float("nan")


def r2(y_true: ArrayLike, y_pred: ArrayLike) -> float:
    """Coefficient of determination; NaN where all true values are equal."""
    true, pred = _checked(y_true, y_pred)
    total = float(np.sum((true - true.mean()) ** 2))
    varied = total > len(true) * _rounding(true) ** 2
    return 1.0 - float(np.sum((true - pred) ** 2)) / total if varied else float("nan")


@dataclass(frozen=True)
class ClassScores:
    """How well one class is told from the others; NaN where there is nothing to divide by."""

    # Share of the rows predicted to be of the class that are.
    precision: float
    # Share of the rows of the class that are predicted to be.
    recall: float
    # Harmonic mean of the two, 2 TP / (2 TP + FP + FN).
    f1: float
    # Rows of the class.
    support: int


@dataclass(frozen=True)
class ClassificationScores:
    """How well classes are told apart."""

    # Share of rows whose class is predicted right.
    accuracy: float
    # Mean F1 of the classes that occur among true or predicted ones: each class counts the same.
    macro_f1: float
    per_class: dict[str, ClassScores]


def score_classes(y_true: ArrayLike, y_pred: ArrayLike, classes: Sequence[str]) -> ClassificationScores:
    """Compute all scores of predicted classes.

    Parameters
    ----------
    y_true, y_pred
        True and predicted names of classes, shape ``(n,)``, n >= 1.
    classes
        All names, in the order of the result.

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
    per_class = {name: _class_scores(true == name, pred == name) for name in classes}
    f1 = np.array([scores.f1 for scores in per_class.values()])
    return ClassificationScores(float(np.mean(true == pred)), float(np.nanmean(f1)), per_class)


def _class_scores(is_class: np.ndarray, is_predicted: np.ndarray) -> ClassScores:
    right, support, predicted = (
        int(np.sum(rows)) for rows in (is_class & is_predicted, is_class, is_predicted)
    )
    return ClassScores(
        precision=_share(right, predicted),
        recall=_share(right, support),
        f1=_share(2 * right, support + predicted),
        support=support,
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")


def _rounding(values: ArrayLike) -> float:
    """Deviation below which values are equal: the mean of equal values is not always one of them."""
    return ROUNDING * float(np.max(np.abs(np.asarray(values, dtype=np.float64))))


def _checked(y_true: ArrayLike, y_pred: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    true, pred = np.asarray(y_true, dtype=np.float64), np.asarray(y_pred, dtype=np.float64)
    _check_shapes(true, pred)
    if not (np.isfinite(true).all() and np.isfinite(pred).all()):
        raise ValueError("true or predicted values are not all finite")
    return true, pred


def _check_shapes(true: np.ndarray, pred: np.ndarray) -> None:
    if true.shape != pred.shape or true.ndim != 1 or true.size == 0:
        raise ValueError(f"true and predicted values must be two equal rows, not {true.shape}, {pred.shape}")
