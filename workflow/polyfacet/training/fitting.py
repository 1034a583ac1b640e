"""Fit the engine of a cell and predict all rows, validation rows by an engine that was not fitted on them.

Methods are compared, weighted and given intervals by their errors on validation rows.  These must be errors
on unseen materials for every engine, also for one whose final model is trained on the validation rows.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from polyfacet.facets.declaration import Facet
from polyfacet.materials.objectives import Objective
from polyfacet.runtime.errors import UserError
from polyfacet.splits.parts import TRAIN, VALID, divide
from polyfacet.training.engines.base import Engine, EngineError, ValidationUse
from polyfacet.training.engines.probabilities import class_probabilities
from polyfacet.training.learnable import check_predictions

# Predictions, shape (rows,), and class probabilities, shape (rows, classes); None without probabilities.
Answers = tuple[np.ndarray, np.ndarray | None]


def fit_and_predict(
    engine: Engine,
    seen: pd.DataFrame,
    answers: pd.Series,
    split: pd.DataFrame,
    facets: Sequence[Facet],
    objective: Objective,
) -> Answers:
    """Fit an engine, and predict all rows.

    An engine that trains on validation rows is fitted twice: the given one on both parts, to predict
    training and test rows; another one on the training part alone, to predict the validation rows.

    Parameters
    ----------
    engine
        Engine to fit, which may be saved afterwards.
    seen
        What the engine sees of all rows of the cell.
    answers
        True values of the same rows.
    split
        ``part`` of the same rows; also their ``group``, for engines that train on validation rows and select
        by them.
    facets, objective
        What to learn from, and what.

    Raises
    ------
    EngineError
        If the rows cannot be learned from, or training diverges.
    """
    learned = seen.assign(**{objective.column: answers})
    train, valid = (learned[split["part"] == part] for part in (TRAIN, VALID))
    engine.fit(train, valid, facets, objective)
    predicted, probabilities = _predict(engine, seen)
    if valid.empty or ValidationUse.TRAINING not in engine.validation_use:
        return predicted, probabilities
    alone = engine.unfitted()
    alone.fit(*_without_validation(engine, train, valid, split), facets, objective)
    is_valid = (split["part"] == VALID).to_numpy()
    predicted[is_valid], of_valid = _predict(alone, seen[is_valid])
    if probabilities is not None:
        probabilities[is_valid] = of_valid
    return predicted, probabilities


def _predict(engine: Engine, seen: pd.DataFrame) -> Answers:
    predicted = engine.predict(seen.copy(deep=True))
    check_predictions(predicted, engine.objective)
    probabilities = class_probabilities(engine, seen)
    return predicted, None if probabilities is None else np.array(probabilities)


def _without_validation(
    engine: Engine, train: pd.DataFrame, valid: pd.DataFrame, split: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return rows to train on and rows to select by, all of them from the training part.

    An engine that selects, too, gets the usual share of them to select by, divided by groups.
    """
    if ValidationUse.CHOICE not in engine.validation_use:
        return train, train.iloc[:0]
    groups = dict(zip(train["mat_id"], split["group"].loc[train.index], strict=True))
    fraction = len(train) / (len(train) + len(valid))
    try:
        learned, _ = divide(groups, fraction, "held out", engine.resources.seed)
    except UserError as error:
        raise EngineError(f"the training part has no rows to spare for selection: {error}") from error
    is_learned = train["mat_id"].isin(learned)
    return train[is_learned], train[~is_learned]
