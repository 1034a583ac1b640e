"""One cell of the grid: its rows, its training, its predictions, its card."""

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from polyfacet.facets.compimage.statistics_table import STATISTICS_COLUMN
from polyfacet.facets.declaration import Facet
from polyfacet.facets.registry import combination_name, encoding_column, shown_columns
from polyfacet.materials.known_values import is_known
from polyfacet.materials.objectives import Objective
from polyfacet.runtime.identifiers import text_digest
from polyfacet.runtime.machine_failures import raise_machine_failure
from polyfacet.runtime.parquet import column
from polyfacet.splits.parts import PARTS, TEST, TRAIN, VALID
from polyfacet.training.cards import Card, Counts, describe_origin, measure_cost
from polyfacet.training.engines.base import Engine, EngineError, ValidationUse
from polyfacet.training.engines.registry import engine_files
from polyfacet.training.fitting import fit_and_predict
from polyfacet.training.learnable import check_learnable, check_not_shown
from polyfacet.training.provenance import UNKNOWN, Provenance

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
        shown = [facet.shown_as(facet.form or self.forms.get(facet.base, "")) for facet in self.facets]
        return self.objective.is_revealed_by(frozenset().union(*shown))

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
    ]
)


def usable_rows(materials: pd.DataFrame, cell: Cell) -> pd.DataFrame:
    """Select the materials that have all facets of a cell and a value of its objective."""
    wanted = {facet.name for facet in cell.facets}
    has_all = np.array([wanted <= set(present) for present in materials["facets"]], dtype=bool)
    known = is_known(materials[cell.objective.column], cell.objective)
    return materials[has_all & known].reset_index(drop=True)


def what_engines_see(rows: pd.DataFrame, facets: Sequence[Facet]) -> pd.DataFrame:
    """Return a copy of identifiers, facets, encodings and statistics, without columns that cells predict."""
    columns = [column for facet in facets for column in shown_columns(facet, rows.columns)]
    columns += [name for facet in facets if (name := encoding_column(facet)) in rows]
    statistics = [STATISTICS_COLUMN] if STATISTICS_COLUMN in rows else []
    return rows[["mat_id", *columns, *statistics]].copy(deep=True)


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
    reason = None
    try:
        parts = {part: rows[rows["part"] == part] for part in PARTS}
        check_learnable(parts, cell.objective, engine.validation_use)
        if not cell.may_show_answers:
            check_not_shown(parts[TRAIN], cell.facets, cell.objective)
        seen = what_engines_see(rows, cell.facets)
        predicted, probabilities = fit_and_predict(
            engine, seen, rows[cell.objective.column], rows, cell.facets, cell.objective
        )
        engine.save(model)
    except EngineError as error:
        raise_machine_failure(error)
        logger.exception("the cell failed")
        reason = f"{error}{_left_out(materials, rows, cell)}"
        predicted, probabilities = np.full(len(rows), None if cell.objective.classes else np.nan), None
        model.mkdir(parents=True, exist_ok=True)
    counts = _counts(rows["part"], len(materials), engine.validation_use, made_of.n_without_part)
    card = _card(cell, engine, rows, counts, made_of, reason, time.monotonic() - start)
    return _predictions(cell, rows, predicted, probabilities), card


def _predictions(
    cell: Cell,
    rows: pd.DataFrame,
    predicted: np.ndarray,
    probabilities: np.ndarray | None,
) -> pd.DataFrame:
    unknown = pd.Series(None, rows.index, dtype=object)
    values = rows[cell.objective.column], pd.Series(predicted, rows.index)
    numbers, names = (unknown, unknown), values
    if not cell.objective.classes:
        numbers, names = values, (unknown, unknown)
    return rows[["mat_id", "part"]].assign(
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
    facets = "" if cell.combination == NO_FACET else f"a facet of {cell.combination} or "
    return (
        f" ({n_out} of {len(materials)} materials are left out because they lack {facets}a value of "
        f"{cell.objective.column})"
    )


def _counts(parts: pd.Series, n_materials: int, use: ValidationUse, n_without_part: int) -> Counts:
    """Count the materials actually trained on, used for selection, and left out."""
    n = {part: int((parts == part).sum()) for part in PARTS}
    return Counts(
        n_train=n[TRAIN] + (n[VALID] if ValidationUse.TRAINING in use else 0),
        n_valid=n[VALID] if ValidationUse.CHOICE in use else 0,
        n_test=n[TEST],
        n_missing=n_materials - len(parts),
        n_without_part=n_without_part,
    )


def _card(
    cell: Cell,
    engine: Engine,
    rows: pd.DataFrame,
    counts: Counts,
    made_of: Provenance,
    reason: str | None,
    wall_time_s: float,
) -> Card:
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
        cost=measure_cost(wall_time_s, cell.threads),
        origin=describe_origin(engine_files(cell.engine, engine.settings.model_dump(mode="json"))),
    )
