"""One cell of the grid: its rows, its training, its predictions, its card."""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from polyfacet.config.objectives import Aspect
from polyfacet.facets.declaration import Facet
from polyfacet.facets.registry import combination_name
from polyfacet.materials.known_values import is_known
from polyfacet.materials.objectives import Objective
from polyfacet.runtime.identifiers import text_digest
from polyfacet.runtime.machine_failures import raise_machine_failure
from polyfacet.runtime.parquet import column
from polyfacet.splits.parts import PARTS, TEST, TRAIN, VALID
from polyfacet.training.cards import Card, Counts, describe_origin, measure_cost
from polyfacet.training.engines.base import Engine, EngineError, ValidationUse
from polyfacet.training.engines.registry import ENGINES, engine_files
from polyfacet.training.fitting import fit_and_predict
from polyfacet.training.foundations import check_foundation
from polyfacet.training.learnable import check_learnable, check_not_shown
from polyfacet.training.provenance import UNKNOWN, Provenance
from polyfacet.training.seen_rows import have_facets, lacking, what_engines_see

logger = logging.getLogger(__name__)

# Combination of a method that uses no facets.
NO_FACET = "none"


@dataclass(frozen=True)
class Place:
    """Position of a cell in the grid; together with the run, it identifies the cell.

    Attributes
    ----------
    source
        Source of the materials.
    split
        Name of the split.
    split_method
        Method of the split.
    repeat
        Repeat of the split.
    method
        Name of the method: an engine with its settings.
    """

    run: str
    source: str
    split: str
    split_method: str
    repeat: int
    method: str


@dataclass(frozen=True)
class Cell:
    """What is trained on which facets."""

    place: Place
    facets: tuple[Facet, ...]
    objective: Objective
    engine: str
    # Of training; each repeat has its own.
    seed: int
    # Of the engine.
    settings: Mapping[str, Any] = field(default_factory=dict)
    threads: int = 1
    # Facet to the variant used where the combination names none.
    forms: Mapping[str, str] = field(default_factory=dict)
    # Whether a number of a facet may equal or follow the answer.
    may_show_answers: bool = False

    @property
    def combination(self) -> str:
        """Name of the combination of facets."""
        return combination_name(self.facets) or NO_FACET

    @property
    def contains_answer(self) -> bool:
        """Whether the facets together reveal the answer."""
        return self.objective.is_revealed_by(frozenset().union(*map(self._shown, self.facets)))

    @property
    def facets_without_answer(self) -> tuple[Facet, ...]:
        """Facets whose numbers must not be the answer.

        If the facets together reveal it, which marks the cell, only those that declare to show nothing: the
        columns of a table, for example.
        """
        if not self.contains_answer:
            return self.facets
        return tuple(facet for facet in self.facets if not self._shown(facet))

    def _shown(self, facet: Facet) -> frozenset[Aspect]:
        return facet.shown_as(facet.form or self.forms.get(facet.base, ""))

    @property
    def identity(self) -> dict[str, Any]:
        """Identity of the cell, by column of the tables of results."""
        return {
            "run": self.place.run,
            "source": self.place.source,
            "split": self.place.split,
            "repeat": self.place.repeat,
            "method": self.place.method,
            "combination": self.combination,
            "objective": self.objective.column,
        }


IDENTITY = (
    column("run", pa.string(), "name of the run"),
    column("source", pa.string(), "source of the materials: crystals, or the name of a table"),
    column("split", pa.string(), "name of the split"),
    column("repeat", pa.int64(), "repeat of the split"),
    column("method", pa.string(), "name of the method"),
    column("combination", pa.string(), f"facets used, joined by +; {NO_FACET}: a baseline"),
    column("objective", pa.string(), "what is predicted"),
)
PREDICTIONS = pa.schema(
    [
        *IDENTITY,
        column("mat_id", pa.string(), "identifier of the material"),
        column("part", pa.string(), "train, valid (predicted by a model that is not fitted on it) or test"),
        column("y_true", pa.float64(), "true value", "that of the objective", nullable=True),
        column("y_pred", pa.float64(), "predicted value", "that of the objective", nullable=True),
        column("true_class", pa.string(), "true class", nullable=True),
        column("predicted_class", pa.string(), "predicted class", nullable=True),
        column(
            "probabilities",
            pa.map_(pa.string(), pa.float64()),
            "probability of each class, in the order of the column classes of cells.parquet; missing for "
            "numbers, and for methods without probabilities",
            nullable=True,
        ),
        column(
            "lacks",
            pa.string(),
            "facets of the combination that the material lacks, joined by +; missing if it has all",
            nullable=True,
        ),
    ]
)


def usable_rows(materials: pd.DataFrame, cell: Cell) -> pd.DataFrame:
    """Select the materials that have the facets of a cell and a value of its objective.

    They have all facets, or at least one if the engine accepts rows that lack some.
    """
    have = have_facets(materials, cell.facets, missing=ENGINES.get(cell.engine).missing)
    known = is_known(materials[cell.objective.column], cell.objective)
    return materials[have & known].reset_index(drop=True)


def train(
    cell: Cell, engine: Engine, materials: pd.DataFrame, model: Path, made_of: Provenance = UNKNOWN
) -> tuple[pd.DataFrame, Card]:
    """Train a cell on the materials that have its facets and its objective, and predict them all.

    Data that the engine cannot learn from make a failed card; any other error is raised and fails the job.

    Parameters
    ----------
    cell
        Cell to train.
    engine
        Engine that trains it.
    materials
        Aligned rows (see `polyfacet.training.dataset`) with their ``part``.
    model
        Folder for the trained model; empty where the cell failed.
    made_of
        Provenance of data and code for the card.

    Returns
    -------
    tuple of pandas.DataFrame and Card
        Rows of ``PREDICTIONS``, and the card.
    """
    start = time.monotonic()
    rows = usable_rows(materials, cell)
    rows = rows.assign(lacks=lacking(rows, cell.facets))
    reason = None
    try:
        parts = {part: rows[rows["part"] == part] for part in PARTS}
        check_foundation(engine.resources.foundation)
        check_learnable(parts, cell.objective, engine.validation_use)
        if not cell.may_show_answers:
            check_not_shown(parts[TRAIN], cell.facets_without_answer, cell.objective)
        seen = what_engines_see(rows, cell.facets)
        predicted, probabilities = fit_and_predict(
            engine, seen, rows[cell.objective.column], rows, cell.facets, cell.objective
        )
        engine.save(model)
    except EngineError as error:
        raise_machine_failure(error)
        logger.exception("the cell failed")
        reason = f"{error}{_left_out(materials, rows, cell)}"
        predicted, probabilities = no_predictions(len(rows), cell.objective), None
        model.mkdir(parents=True, exist_ok=True)
    counts = count_rows(rows, len(materials), engine.validation_use, made_of.n_without_part)
    card = card_of_cell(cell, engine, rows, counts, made_of, reason, time.monotonic() - start)
    return prediction_rows(cell, rows, predicted, probabilities), card


def no_predictions(n_rows: int, objective: Objective) -> np.ndarray:
    """Return the predictions of a failed cell: none, shape (rows,)."""
    return np.full(n_rows, None if objective.classes else np.nan)


def prediction_rows(
    cell: Cell,
    rows: pd.DataFrame,
    predicted: np.ndarray,
    probabilities: np.ndarray | None,
) -> pd.DataFrame:
    """Return the rows of ``PREDICTIONS``.

    Parameters
    ----------
    cell
        The cell.
    rows
        ``mat_id``, ``part``, ``lacks`` and the objective of its materials.
    predicted
        Predictions, shape (rows,).
    probabilities
        Class probabilities, shape (rows, classes); None without any.
    """
    unknown = pd.Series(None, rows.index, dtype=object)
    values = rows[cell.objective.column], pd.Series(predicted, rows.index)
    numbers, names = (unknown, unknown), values
    if not cell.objective.classes:
        numbers, names = values, (unknown, unknown)
    return rows[["mat_id", "part", "lacks"]].assign(
        **cell.identity,
        y_true=numbers[0].astype(float),
        y_pred=numbers[1].astype(float),
        true_class=names[0],
        predicted_class=names[1],
        probabilities=unknown if probabilities is None else _by_class(probabilities, cell, rows.index),
    )


def _by_class(probabilities: np.ndarray, cell: Cell, index: pd.Index) -> pd.Series:
    """Label each probability with its class."""
    named = [list(zip(cell.objective.classes, row, strict=True)) for row in probabilities.tolist()]
    return pd.Series(named, index, dtype=object)


def _left_out(materials: pd.DataFrame, rows: pd.DataFrame, cell: Cell) -> str:
    """Describe how many materials could not be used, as that may be why a cell failed."""
    n_out = len(materials) - len(rows)
    if not n_out:
        return ""
    facets = "" if cell.combination == NO_FACET else f"{_facets_lacked(cell)} or "
    return (
        f" ({n_out} of {len(materials)} materials are left out because they lack {facets}a value of "
        f"{cell.objective.column})"
    )


def _facets_lacked(cell: Cell) -> str:
    if len(cell.facets) > 1 and ENGINES.get(cell.engine).missing:
        return f"all facets of {cell.combination}"
    return f"a facet of {cell.combination}"


def count_rows(rows: pd.DataFrame, n_materials: int, use: ValidationUse, n_without_part: int) -> Counts:
    """Count the materials actually trained on, used for selection, left out, and used without a facet."""
    n = {part: int((rows["part"] == part).sum()) for part in PARTS}
    return Counts(
        n_train=n[TRAIN] + (n[VALID] if ValidationUse.TRAINING in use else 0),
        n_valid=n[VALID] if ValidationUse.CHOICE in use else 0,
        n_test=n[TEST],
        n_missing=n_materials - len(rows),
        n_without_part=n_without_part,
        n_incomplete=int(rows["lacks"].notna().sum()),
    )


def card_of_cell(
    cell: Cell,
    engine: Engine,
    rows: pd.DataFrame,
    counts: Counts,
    made_of: Provenance,
    reason: str | None,
    wall_time_s: float,
) -> Card:
    """Write the facts about a cell onto its card; ``reason`` says why it failed, if it did."""
    return Card(
        status="failed" if reason else "ok",
        reason=reason,
        split_method=cell.place.split_method,
        **cell.identity,
        engine=cell.engine,
        settings=engine.describe(),
        classes=list(cell.objective.classes),
        is_baseline=not cell.facets,
        contains_answer=cell.contains_answer,
        seed=cell.seed,
        counts=counts,
        tested=text_digest(*sorted(rows.loc[rows["part"] == TEST, "mat_id"])),
        encoders=engine.encoder_identities(),
        inputs=made_of.inputs,
        code=made_of.code,
        foundation=made_of.foundation,
        course=engine.course(),
        cost=measure_cost(wall_time_s, cell.threads),
        origin=describe_origin(engine_files(cell.engine, engine.settings.model_dump(mode="json"))),
    )
