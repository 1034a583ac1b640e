"""Cells and cards of a made-up grid, for tests of single aspects."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd

from polyfacet.facets.registry import Facet
from polyfacet.materials.objectives import Objective
from polyfacet.training.cards import Card, Counts, describe_origin, measure_cost
from polyfacet.training.cells import Cell, Place

PLACE: dict[str, Any] = {
    "run": "test",
    "source": "crystals",
    "split": "random",
    "split_method": "random",
    "repeat": 0,
    "method": "any",
}


def cell_of(
    facets: tuple[Facet, ...],
    objective: Objective,
    engine: str = "dummy",
    *,
    seed: int = 1,
    forms: Mapping[str, str] = MappingProxyType({}),
    **place: Any,
) -> Cell:
    """Return a cell; ``place`` replaces fields of its place."""
    return Cell(Place(**{**PLACE, **place}), facets, objective, engine, seed, threads=1, forms=forms)


def card_fields(**changes: Any) -> dict[str, Any]:
    """Return the fields of a card; ``changes`` replaces some."""
    return {
        **PLACE,
        "combination": "text+image",
        "objective": "vol_atom",
        "status": "ok",
        "reason": None,
        "engine": "automm",
        "settings": {"max_epochs": 3, "hyperparameters": {"optim.lr": 1e-3}},
        "classes": [],
        "is_baseline": False,
        "contains_answer": True,
        "seed": 42,
        "counts": Counts(n_train=10, n_valid=2, n_test=3, n_missing=1, n_without_part=0),
        "tested": "0" * 64,
        "encoders": {"text": "0" * 64},
        "cost": measure_cost(wall_time_s=1.5, threads=2),
        "origin": describe_origin([]),
        **changes,
    }


def card_of(**changes: Any) -> Card:
    """Return a card; ``changes`` replaces fields."""
    return Card(**card_fields(**changes))


def sample_of(mat_ids: Iterable[str], folder: Path, formula: str = "NaCl") -> Path:
    """Write the columns of a sample that scores need; all materials have one formula."""
    path = folder / "sample.parquet"
    pd.DataFrame({"mat_id": list(mat_ids)}).assign(formula=formula).to_parquet(path)
    return path


def tables_of_run(folder: Path) -> dict[str, Path]:
    """Return the outputs of the script that collects results, by argument, in a new folder."""
    folder.mkdir()
    names = ("cells_table", "predictions", "validation", "scores", "summary")
    return {name: folder / f"{name}.parquet" for name in names}
