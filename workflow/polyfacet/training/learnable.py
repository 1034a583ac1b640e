"""Whether the rows of a cell can be learned from at all, before an engine is given them."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from polyfacet.facets.declaration import Facet
from polyfacet.materials.objectives import Objective
from polyfacet.training.engines.base import EngineError, ValidationUse

# Spread, relative to the largest value, up to which numbers are equal but for rounding.
EQUAL_WITHIN = 1e-12
# Correlation, below 1, from which a number is another one in other units, or rounded to a thousandth of its
# spread.
SAME_WITHIN = 1e-6
# With fewer rows, a correlation says little.
FEWEST_TO_COMPARE = 10


def is_known(values: pd.Series, objective: Objective) -> pd.Series:
    """Say of each row whether it has a class, or a finite number."""
    if objective.classes:
        return values.notna()
    return pd.Series(np.isfinite(values.to_numpy(np.float64, na_value=np.nan)), index=values.index)


def check_learnable(parts: Mapping[str, pd.DataFrame], objective: Objective, use: ValidationUse) -> None:
    """Refuse rows that nothing can be learned from, or measured on.

    Parameters
    ----------
    parts
        Rows with a known objective by part: ``train``, ``valid``, ``test``.
    objective
        What is learned.
    use
        What the engine does with the validation rows.

    Raises
    ------
    EngineError
        If a part that is needed is empty, or the objective does not vary among the rows to train on or among
        those that choose the epoch.  One row alone may choose.
    """
    train, valid, test = (parts[name][objective.column] for name in ("train", "valid", "test"))
    fitted = pd.concat([train, valid]) if use == ValidationUse.TRAINING else train
    chooses = ValidationUse.CHOICE in use
    for values, purpose, needed in (
        (fitted, "train on", True),
        (valid, "choose the epoch by", chooses),
        (test, "test on", True),
    ):
        if needed and values.empty:
            raise EngineError(f"no rows are left to {purpose}")
    if _constant(fitted):
        raise EngineError(
            f"nothing to learn: {_number(len(fitted), 'row')} to train on, "
            f"and {objective.column} is always {_shown(fitted.iloc[0])}"
        )
    if chooses and len(valid) > 1 and _constant(valid):
        raise EngineError(
            f"nothing to choose the epoch by: {_number(len(valid), 'validation row')}, "
            f"and {objective.column} is always {_shown(valid.iloc[0])}"
        )


def check_not_shown(rows: pd.DataFrame, facets: Sequence[Facet], objective: Objective) -> None:
    """Refuse facets of which one number is the objective itself, in another unit perhaps, or rounded.

    Parameters
    ----------
    rows
        Rows to train on.
    facets
        What the cell looks at; only vectors are looked through.
    objective
        What is learned.

    Raises
    ------
    EngineError
        If a number of a facet follows the objective linearly, but for rounding, or has one value for each
        class; says which.
    """
    if len(rows) < FEWEST_TO_COMPARE:
        return
    answers = rows[objective.column]
    for facet in (facet for facet in facets if facet.kind == "vector"):
        values = np.stack([np.asarray(value, dtype=np.float64) for value in rows[facet.name]])
        shown = _names_classes(values, answers) if objective.classes else _follows(values, answers)
        if shown.any():
            raise EngineError(
                f"number {int(np.argmax(shown)) + 1} of the facet {facet.name} is {objective.column} "
                "itself or follows it: take that column out of the features"
            )


def _follows(values: np.ndarray, answers: pd.Series) -> np.ndarray:
    """Say of each column of numbers whether it follows the answers linearly, where it is known."""
    known = np.isfinite(values)
    n = np.maximum(known.sum(axis=0), 1)
    centred = np.where(known, values, 0.0)
    centred = np.where(known, centred - centred.sum(axis=0) / n, 0.0)
    wanted = np.where(known, answers.to_numpy(np.float64)[:, None], 0.0)
    wanted = np.where(known, wanted - wanted.sum(axis=0) / n, 0.0)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        norms = np.linalg.norm(centred, axis=0) * np.linalg.norm(wanted, axis=0)
        follows = np.abs((centred * wanted).sum(axis=0)) / norms > 1 - SAME_WITHIN
    return np.asarray(follows & (n >= FEWEST_TO_COMPARE))


def _names_classes(values: np.ndarray, answers: pd.Series) -> np.ndarray:
    """Say of each column of numbers whether it has one value for each class, and no other."""
    columns = pd.DataFrame(values)
    n_classes = answers.nunique()
    of_each = columns.groupby(answers.to_numpy()).nunique(dropna=False).max(axis=0)
    return ((columns.nunique(dropna=False) == n_classes) & (of_each == 1)).to_numpy()


def check_predictions(predicted: np.ndarray, objective: Objective) -> None:
    """Refuse numbers that are not finite.

    Raises
    ------
    EngineError
        If there are such; says how many.
    """
    if objective.classes:
        return
    wrong = int(np.sum(~np.isfinite(predicted)))
    if wrong:
        raise EngineError(f"training diverged: {wrong} of {len(predicted)} predictions are not finite")


def _constant(values: pd.Series) -> bool:
    if values.dtype == object or not pd.api.types.is_numeric_dtype(values):
        return values.nunique() < 2
    numbers = values.to_numpy(np.float64)
    return float(np.ptp(numbers)) <= EQUAL_WITHIN * float(np.abs(numbers).max())


def _shown(value: float | str) -> str:
    return repr(value) if isinstance(value, str) else f"{value:g}"


def _number(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
