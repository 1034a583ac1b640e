"""One cell of the grid, a combination of facets and an objective: its rows, its training, its card."""

import logging
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from polyfacet.facets.registry import Facet, combination_name
from polyfacet.facets.text.variants import STRUCTURE_TEXTS
from polyfacet.materials.objectives import Objective
from polyfacet.runtime.identifiers import text_digest
from polyfacet.runtime.parquet import column
from polyfacet.splits.parts import PARTS, TEST, TRAIN, VALID
from polyfacet.training.cards import Card, ClassMetrics, Counts, Metrics, describe_origin, measure_cost
from polyfacet.training.engines.base import Engine, EngineError, ValidationUse
from polyfacet.training.learnable import check_learnable, check_predictions, is_known
from polyfacet.training.metrics import score, score_classes

logger = logging.getLogger(__name__)

_ROW = (
    column("mat_id", pa.string(), "identifier of the material"),
    column(
        "part",
        pa.string(),
        "train, valid (chose the epoch, not trained on) or test",
    ),
)
PREDICTIONS = pa.schema(
    [
        *_ROW,
        column("y_true", pa.float64(), "true value", "unit of the target"),
        column("y_pred", pa.float64(), "predicted value", "unit of the target", nullable=True),
    ]
)
CLASS_PREDICTIONS = pa.schema(
    [
        *_ROW,
        column("y_true", pa.string(), "true class"),
        column("y_pred", pa.string(), "predicted class", nullable=True),
    ]
)


@dataclass(frozen=True)
class Cell:
    """What is trained on what."""

    facets: tuple[Facet, ...]
    objective: Objective
    # Name of the repeat of the split.
    split: str
    engine: str
    seed: int
    threads: int
    # Form of the text facet.
    text: str = "composition"

    @property
    def contains_answer(self) -> bool:
        """Whether the answer can be read off a facet."""
        shown = any(facet.facts.shows_structure for facet in self.facets)
        told = Facet.TEXT in self.facets and self.text in STRUCTURE_TEXTS
        return (shown or told) and self.objective.contained_in_structure

    @property
    def predictions_schema(self) -> pa.Schema:
        """Schema of the table of predictions: of numbers or of classes."""
        return CLASS_PREDICTIONS if self.objective.classes else PREDICTIONS


def usable_rows(dataset: pd.DataFrame, facets: Sequence[Facet]) -> pd.DataFrame:
    """Select the materials that have all facets of a combination."""
    wanted = {facet.value for facet in facets}
    has_all = [wanted <= set(present) for present in dataset["facets"]]
    return dataset[has_all].reset_index(drop=True)


def train(cell: Cell, engine: Engine, materials: pd.DataFrame, model: Path) -> tuple[pd.DataFrame, Card]:
    """Train a cell on the materials that have its facets and its objective, and measure it on the test part.

    Data that the engine cannot learn from make a failed card; any other error is raised: the job fails.

    Parameters
    ----------
    cell
        What is trained.
    engine
        What trains it.
    materials
        Rows of the dataset with their ``part``.
    model
        Folder for the trained model; empty where the cell failed.

    Returns
    -------
    tuple of pandas.DataFrame and Card
        Predictions, as ``cell.predictions_schema`` declares them, and the card.
    """
    start = time.monotonic()
    rows = usable_rows(materials, cell.facets)
    rows = rows[is_known(rows[cell.objective.column], cell.objective)].reset_index(drop=True)
    reason = None
    try:
        parts = {part: rows[rows["part"] == part] for part in PARTS}
        check_learnable(parts, cell.objective, engine.validation_use)
        engine.fit(parts[TRAIN], parts[VALID], cell.facets, cell.objective, model)
        y_pred = engine.predict(rows)
        check_predictions(y_pred, cell.objective)
    except EngineError as error:
        logger.exception("the cell failed")
        reason = f"{error}{_left_out(materials, rows, cell)}"
        y_pred = np.full(len(rows), None if cell.objective.classes else np.nan)
        if model.exists():
            shutil.rmtree(model)
    model.mkdir(parents=True, exist_ok=True)
    counts = _counts(rows["part"], len(materials), engine.validation_use)
    predictions = rows[["mat_id"]].assign(
        part=_parts_as_used(rows["part"], engine.validation_use),
        y_true=rows[cell.objective.column],
        y_pred=y_pred,
    )
    metrics = None if reason else _test_metrics(predictions, cell.objective)
    tested = text_digest(*sorted(rows.loc[rows["part"] == TEST, "mat_id"]))
    return predictions, _card(cell, engine, counts, tested, metrics, reason, time.monotonic() - start)


def _left_out(materials: pd.DataFrame, rows: pd.DataFrame, cell: Cell) -> str:
    """Say how many materials could not be used, as that may be why a cell failed."""
    n_out = len(materials) - len(rows)
    if not n_out:
        return ""
    return (
        f" ({n_out} of {len(materials)} materials are left out: they lack a facet of "
        f"{combination_name(cell.facets) or 'the cell'} or a value of {cell.objective.column})"
    )


def _counts(parts: pd.Series, n_materials: int, use: ValidationUse) -> Counts:
    """Count what was really trained on, what chose, and what was left out."""
    n = {part: int((parts == part).sum()) for part in PARTS}
    return Counts(
        n_train=n[TRAIN] + (n[VALID] if ValidationUse.TRAINING in use else 0),
        n_valid=n[VALID] if ValidationUse.CHOICE in use else 0,
        n_test=n[TEST],
        n_missing=n_materials - len(parts),
    )


def _parts_as_used(parts: pd.Series, use: ValidationUse) -> pd.Series:
    """Call validation rows what they are to an engine that trains on them."""
    return parts.replace(VALID, TRAIN) if ValidationUse.TRAINING in use else parts


def _test_metrics(predictions: pd.DataFrame, objective: Objective) -> Metrics | ClassMetrics:
    test = predictions[predictions["part"] == TEST]
    if objective.classes:
        return ClassMetrics(**asdict(score_classes(test["y_true"], test["y_pred"], objective.classes)))
    return Metrics(**asdict(score(test["y_true"], test["y_pred"])))


def _card(
    cell: Cell,
    engine: Engine,
    counts: Counts,
    tested: str,
    metrics: Metrics | ClassMetrics | None,
    reason: str | None,
    wall_time_s: float,
) -> Card:
    settings: dict[str, Any] = engine.describe()
    return Card(
        status="failed" if reason else "ok",
        reason=reason,
        engine=cell.engine,
        settings=settings,
        facets=[facet.value for facet in cell.facets],
        target=cell.objective.column,
        unit=cell.objective.unit,
        classes=list(cell.objective.classes),
        split=cell.split,
        seed=cell.seed,
        contains_answer=cell.contains_answer,
        counts=counts,
        tested=tested,
        metrics=metrics,
        encoders=engine.encoder_digests(),
        cost=measure_cost(wall_time_s, cell.threads),
        origin=describe_origin(),
    )
