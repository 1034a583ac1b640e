"""Cells of blends, made of the finished cells of their members: nothing is trained again."""

import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from polyfacet.facets.registry import SEPARATOR, combination_name, facet_named
from polyfacet.runtime.parquet import read_table
from polyfacet.splits.parts import PARTS, VALID
from polyfacet.training.cards import CARD_FILE, BlendedCell, Card, Inputs, read_card
from polyfacet.training.cells import (
    PREDICTIONS,
    Cell,
    card_of_cell,
    count_rows,
    no_predictions,
    prediction_rows,
)
from polyfacet.training.engines.base import EngineError
from polyfacet.training.engines.blend.cross_fitting import folds_of_groups
from polyfacet.training.engines.blend.engine import Blend, WeightedPart
from polyfacet.training.engines.blend.outputs import Array, as_outputs, average
from polyfacet.training.engines.blend.parts import Part
from polyfacet.training.learnable import check_rows_left
from polyfacet.training.provenance import Provenance

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class FinishedPart:
    """A part of a blend, and the cell that it takes the predictions from.

    Attributes
    ----------
    predictions
        Those of the cell, by ``mat_id``.
    model
        Folder of its saved model.
    """

    part: Part
    card: Card
    predictions: pd.DataFrame
    model: Path

    @classmethod
    def read(cls, part: Part, folder: Path) -> "FinishedPart":
        """Read a part from the folder of its cell."""
        predictions = read_table(folder / "predictions.parquet", PREDICTIONS).set_index("mat_id")
        return cls(part, read_card(folder / CARD_FILE), predictions, folder / "model")

    def weighted(self, weight: float) -> WeightedPart:
        """Return the part of a blend with this weight, which refers to the saved model."""
        return WeightedPart(self.part, weight, self.model)


def blend(
    cell: Cell,
    engine: Blend,
    parts: Sequence[FinishedPart],
    groups: Mapping[str, str],
    model: Path | None,
    code: str | None = None,
) -> tuple[pd.DataFrame, Card]:
    """Make a cell of a blend.

    Predictions for training and test rows have weights from all validation rows.  Those for validation rows
    have weights from other groups of them: with weights that know their own answers, a blend would be chosen
    by its validation rows too often.

    Parameters
    ----------
    cell
        The cell to make.
    engine
        Engine of the blend, not fitted yet.
    parts
        The cells that it averages.
    groups
        mat_id to group of the split.
    model
        Folder for the model, which is empty if the cell fails; None keeps none.
    code
        Digest of the code of the job, for the card.

    Returns
    -------
    tuple of pandas.DataFrame and Card
        As from `polyfacet.training.cells.train`.
    """
    start = time.monotonic()
    rows = _common_rows(cell, parts)
    weights, reason, probabilities = np.zeros(len(parts)), None, None
    try:
        _check(cell, engine, parts, rows)
        outputs = np.stack([_outputs(each, rows, cell) for each in parts])
        weights, of_rows = _weights(cell, engine, parts, outputs, rows, groups)
        mean = average(outputs, of_rows)
        predicted, probabilities = _answers(cell, mean, [p for p, w in zip(parts, weights, strict=True) if w])
        if model is not None:
            weighted = list(map(FinishedPart.weighted, parts, weights.tolist()))
            engine.adopt(cell.facets, cell.objective, weighted)
            engine.save(model)
    except EngineError as error:
        logger.exception("the cell failed")
        reason, predicted = str(error), no_predictions(len(rows), cell.objective)
        if model is not None:
            model.mkdir(parents=True)
    card = _card(cell, engine, parts, weights, rows, code, reason, time.monotonic() - start)
    return prediction_rows(cell, rows, predicted, probabilities), card


def _common_rows(cell: Cell, parts: Sequence[FinishedPart]) -> pd.DataFrame:
    """Return the rows that all parts have: those with their facets and a value of the objective."""
    of_first, *others = (each.predictions for each in parts)
    common = of_first.index
    for predictions in others:
        common = common.intersection(predictions.index)
    known = of_first.loc[common.sort_values()]
    answers = known["true_class" if cell.objective.classes else "y_true"]
    lacks = [_lacking(each.predictions["lacks"].get(mat_id) for each in parts) for mat_id in known.index]
    named = pd.Series(lacks, known.index, dtype=object)
    return known[["part"]].assign(**{cell.objective.column: answers}, lacks=named).reset_index()


def _lacking(of_parts: Iterable[str | None]) -> str | None:
    """Name the facets that a material lacks for any part; None if it has all."""
    names = {name for each in of_parts if isinstance(each, str) for name in each.split(SEPARATOR)}
    return combination_name(map(facet_named, names)) or None


def _check(cell: Cell, engine: Blend, parts: Sequence[FinishedPart], rows: pd.DataFrame) -> None:
    """Reject cells of which a part failed, and rows that nothing can be weighted by or tested on."""
    failed = [each for each in parts if each.card.status != "ok"]
    if failed:
        raise EngineError(
            f"{len(failed)} of the {len(parts)} cells of this blend failed. {failed[0].part}: "
            f"{failed[0].card.reason}"
        )
    by_part = {name: rows[rows["part"] == name] for name in PARTS}
    # Unlike epochs, members can be told apart by rows with a single value.
    check_rows_left(by_part, "choose weights by" if engine.settings.chooses else None)


def _outputs(part: FinishedPart, rows: pd.DataFrame, cell: Cell) -> Array:
    """Return the predictions of a part for rows, shape (rows, outputs)."""
    own = part.predictions.loc[rows["mat_id"]]
    predicted = own["predicted_class" if cell.objective.classes else "y_pred"].to_numpy()
    if not _has_probabilities(part):
        return as_outputs(predicted, None, cell.objective)
    by_class = [dict(each) for each in own["probabilities"]]
    listed = [[each[name] for name in cell.objective.classes] for each in by_class]
    return as_outputs(predicted, np.array(listed), cell.objective)


def _has_probabilities(part: FinishedPart) -> bool:
    return bool(part.predictions["probabilities"].notna().any())


def _weights(
    cell: Cell,
    engine: Blend,
    parts: Sequence[FinishedPart],
    outputs: Array,
    rows: pd.DataFrame,
    groups: Mapping[str, str],
) -> tuple[Array, Array]:
    """Return the weights of the parts, shape (parts,), and those for each row, shape (parts, rows)."""
    named = [each.part for each in parts]
    valid = np.flatnonzero(rows["part"] == VALID)
    truth = as_outputs(rows[cell.objective.column].to_numpy()[valid], None, cell.objective)

    def fitted(chosen: np.ndarray) -> Array:
        return engine.fitted_weights(named, outputs[:, valid[chosen]], truth[chosen])

    weights = fitted(np.ones(len(valid), dtype=bool))
    of_rows = np.repeat(weights[:, None], len(rows), axis=1)
    folds = folds_of_groups([groups[mat_id] for mat_id in rows["mat_id"].iloc[valid]], cell.seed)
    for fold in np.unique(folds):
        of_rows[:, valid[folds == fold]] = fitted(folds != fold)[:, None]
    return weights, of_rows


def _answers(
    cell: Cell, mean: Array, weighted: Sequence[FinishedPart]
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return predictions and probabilities; averaged votes are no probabilities."""
    if not cell.objective.classes:
        return mean[:, 0], None
    named = np.array(cell.objective.classes, dtype=object)[mean.argmax(axis=1)]
    return named, mean if all(map(_has_probabilities, weighted)) else None


def _card(
    cell: Cell,
    engine: Blend,
    parts: Sequence[FinishedPart],
    weights: Array,
    rows: pd.DataFrame,
    code: str | None,
    reason: str | None,
    wall_time_s: float,
) -> Card:
    cards = [each.card for each in parts]
    of_first = cards[0].counts
    n_materials = len(parts[0].predictions) + of_first.n_missing
    counts = count_rows(rows, n_materials, engine.validation_use, of_first.n_without_part)
    made_of = Provenance(of_first.n_without_part, _inputs(cards), code)
    card = card_of_cell(cell, engine, rows, counts, made_of, reason, wall_time_s)
    blended = tuple(
        BlendedCell(method=each.part.method, combination=each.part.combination, weight=weight)
        for each, weight in zip(parts, weights.tolist(), strict=True)
    )
    encoders = {f"{each.part}: {facet}": of for each in parts for facet, of in each.card.encoders.items()}
    return card.model_copy(update={"blended": blended, "encoders": encoders})


def _inputs(cards: Sequence[Card]) -> Inputs | None:
    """Combine the digests of what the parts saw."""
    known = [card.inputs for card in cards if card.inputs is not None]
    if len(known) < len(cards):
        return None
    facets = {name: digest for inputs in known for name, digest in inputs.facets.items()}
    statistics = next((inputs.statistics for inputs in known if inputs.statistics), None)
    return known[0].model_copy(update={"facets": facets, "statistics": statistics})
