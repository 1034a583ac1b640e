"""Check whether the rows of a cell can be learned from, before they are passed to an engine."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from polyfacet.facets.declaration import Facet
from polyfacet.facets.registry import COMPOSITION
from polyfacet.materials.objectives import Objective
from polyfacet.training.engines.base import EngineError, ValidationUse
from polyfacet.training.powers_of_two import near_one

# Spread, relative to the largest value, up to which numbers are equal except for rounding.
EQUAL_WITHIN = 1e-12
# Correlation, below 1, from which a number is another in different units, or rounded to a thousandth of its
# spread.
SAME_WITHIN = 1e-6
# With fewer rows, a correlation means little.
FEWEST_TO_COMPARE = 10
# The same without the two most distant rows, as rounding is a larger part of the spread of the others; and
# the fewest rows that differ from the most frequent value.
SAME_WITHOUT_OUTLYING = 1e-5
N_OUTLYING = 2
FEWEST_TO_DIFFER = 5
# Classes with fewer rows may have equal numbers by chance.
FEWEST_OF_A_CLASS = 5
# The same of ranks.
SAME_ORDER_WITHIN = 1e-5
# Distinct values.  A number that reveals the answer to within a twentieth of its standard deviation keeps the
# order of this many in one case of a thousand, and of 20 in one of twenty.
FEWEST_TO_RANK = 30
# An order of all rows also holds for a few of them.
MOST_TO_RANK = 2000


def check_learnable(parts: Mapping[str, pd.DataFrame], objective: Objective, use: ValidationUse) -> None:
    """Reject rows that nothing can be learned from or tested on.

    Parameters
    ----------
    parts
        Rows with a known objective by part: ``train``, ``valid``, ``test``.
    objective
        The objective to learn.
    use
        How the engine uses the validation rows.

    Raises
    ------
    EngineError
        If a required part is empty, or the objective does not vary among the rows to train on or among
        those that select the epoch.  A single row may select.
    """
    chooses = ValidationUse.CHOICE in use
    check_rows_left(parts, "select the epoch by" if chooses else None)
    train, valid = (parts[name][objective.column] for name in ("train", "valid"))
    fitted = pd.concat([train, valid]) if use == ValidationUse.TRAINING else train
    if _constant(fitted):
        raise EngineError(
            f"nothing to learn: {_number(len(fitted), 'row')} to train on, "
            f"and {objective.column} is always {_shown(fitted.iloc[0])}"
        )
    if chooses and len(valid) > 1 and _constant(valid):
        raise EngineError(
            f"nothing to select the epoch by: {_number(len(valid), 'validation row')}, "
            f"and {objective.column} is always {_shown(valid.iloc[0])}"
        )


def check_rows_left(parts: Mapping[str, pd.DataFrame], purpose_of_validation: str | None) -> None:
    """Reject empty parts.

    Parameters
    ----------
    parts
        Rows by part: ``train``, ``valid``, ``test``.
    purpose_of_validation
        What the validation rows are for; None if there may be none.

    Raises
    ------
    EngineError
        If a required part is empty.
    """
    for name, purpose in (("train", "train on"), ("valid", purpose_of_validation), ("test", "test on")):
        if purpose and parts[name].empty:
            raise EngineError(f"no rows are left to {purpose}")


def check_not_shown(rows: pd.DataFrame, facets: Sequence[Facet], objective: Objective) -> None:
    """Reject facets with a number that is the objective itself, possibly in another unit or rounded.

    Parameters
    ----------
    rows
        Rows to train on.
    facets
        Facets of the cell, without those that are known to reveal the objective; only vectors are searched.
    objective
        The objective to learn.

    Raises
    ------
    EngineError
        If a number of a facet follows the objective linearly, except for rounding, or has its order or one
        value in each class; the message says which.
    """
    for facet in facets:
        # The composition of an alloy is known before any measurement, even if everything follows from it.
        if facet.kind != "vector" or facet == COMPOSITION:
            continue
        known = rows[facet.name].notna()
        if known.sum() < FEWEST_TO_COMPARE:
            continue
        numbers = np.stack([np.asarray(value, dtype=np.float64) for value in rows.loc[known, facet.name]])
        answers = rows.loc[known, objective.column]
        if objective.classes:
            shown = _names_classes(numbers, answers)
        elif facet.needs == "columns":
            # A table may be a series whose answer rises with one of its columns.
            shown = _follows(numbers, answers)
        else:
            shown = _follows(numbers, answers) | _have_order(numbers, answers)
        if shown.any():
            raise EngineError(
                f"number {int(np.argmax(shown)) + 1} of the facet {facet.name} is {objective.column} itself "
                f"or follows it: {_remedy(facet, objective)}, or, if it is known before {objective.column} "
                "is, set training.leaks to allow"
            )


def _remedy(facet: Facet, objective: Objective) -> str:
    if facet.needs == "columns":
        return "take that column out of the features"
    return (
        f"if {objective.column} can be computed from the {facet.needs}, declare so (`follows_from`), and a "
        "dagger marks such cells; otherwise remove that number from the facet"
    )


def _have_order(values: np.ndarray, answers: pd.Series) -> np.ndarray:
    """Return for each column of numbers whether it rises or falls with the answers, where known."""
    rows = np.linspace(0, len(values) - 1, min(len(values), MOST_TO_RANK)).astype(int)
    wanted = answers.to_numpy(np.float64)[rows]
    return np.array([_has_order(column, wanted) for column in values[rows].T], dtype=bool)


def _has_order(numbers: np.ndarray, answers: np.ndarray) -> bool:
    """Compare the ranks of rows that all differ in both number and answer.

    Equal values have no order; if kept, many of them would outweigh the others.
    """
    known = np.isfinite(numbers)
    by_number = np.unique(numbers[known], return_index=True)[1]
    by_answer = np.unique(answers[known][by_number], return_index=True)[1]
    if len(by_answer) < FEWEST_TO_RANK:
        return False
    correlation = np.corrcoef(by_answer.argsort().argsort(), np.arange(len(by_answer)))[0, 1]
    return bool(abs(correlation) > 1 - SAME_ORDER_WITHIN)


def _follows(values: np.ndarray, answers: pd.Series) -> np.ndarray:
    """Return for each column of numbers whether it follows the answers linearly, where known."""
    known = np.isfinite(values)
    n = np.maximum(known.sum(axis=0), 1)
    centred = near_one(np.where(known, values, 0.0))
    centred = np.where(known, centred - centred.sum(axis=0) / n, 0.0)
    wanted = near_one(np.where(known, answers.to_numpy(np.float64)[:, None], 0.0))
    wanted = np.where(known, wanted - wanted.sum(axis=0) / n, 0.0)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        norms = np.linalg.norm(centred, axis=0) * np.linalg.norm(wanted, axis=0)
        follows = np.abs((centred * wanted).sum(axis=0)) / norms > 1 - SAME_WITHIN
    follows &= n >= FEWEST_TO_COMPARE
    for column in np.flatnonzero(follows):
        rows = known[:, column]
        follows[column] = _is_confirmed(values[rows, column], answers.to_numpy(np.float64)[rows])
    return np.asarray(follows)


def _is_confirmed(numbers: np.ndarray, answers: np.ndarray) -> bool:
    """Return whether numbers follow answers without the few most distant ones.

    A few rows may cause a correlation of 1: the only magnet is the only material with iron.
    """
    if min(_n_unusual(numbers), _n_unusual(answers)) < FEWEST_TO_DIFFER:
        return False
    outlying = [np.argsort(np.abs(each - np.median(each)))[-N_OUTLYING:] for each in (numbers, answers)]
    numbers, answers = (np.delete(each, np.concatenate(outlying)) for each in (numbers, answers))
    correlation = np.corrcoef(near_one(numbers), near_one(answers))[0, 1]
    return bool(abs(correlation) > 1 - SAME_WITHOUT_OUTLYING)


def _n_unusual(values: np.ndarray) -> int:
    """Return how many values differ from the most frequent one."""
    return int(len(values) - np.unique(values, return_counts=True)[1].max())


def _names_classes(values: np.ndarray, answers: pd.Series) -> np.ndarray:
    """Return for each column of numbers whether it is constant within classes but not over all."""
    frequent = answers.map(answers.value_counts()).to_numpy() >= FEWEST_OF_A_CLASS
    if answers[frequent].nunique() < 2:
        return np.zeros(values.shape[1], dtype=bool)
    columns = pd.DataFrame(values[frequent])
    of_each = columns.groupby(answers[frequent].to_numpy()).nunique(dropna=False).max(axis=0)
    return ((columns.nunique(dropna=False) > 1) & (of_each == 1)).to_numpy()


def check_predictions(predicted: np.ndarray, objective: Objective) -> None:
    """Reject numbers that are not finite, and names that are not classes.

    Raises
    ------
    EngineError
        If there are such numbers; the message says how many.
    ValueError
        If there are such names: a defect of the engine.
    """
    if objective.classes:
        if unknown := sorted(set(map(str, predicted)) - set(objective.classes)):
            raise ValueError(f"the engine predicted {unknown}, which are not classes of {objective.column}")
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
