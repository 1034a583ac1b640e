"""Made-up cells and scores of a run on crystals: rows of the tables behind the report."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from polyfacet.evaluation.scores import scores_of_cell
from polyfacet.evaluation.tables import CELLS, KEYS, SCORES
from polyfacet.materials.crystal_objectives import CRYSTAL_OBJECTIVES
from polyfacet.training.cells import NO_FACET

BASELINES = ("mean", "median")


def cell_row(row: str, objective: str = "gap", *, ok: bool = True, **changes: Any) -> dict[str, Any]:
    """Return a row of ``CELLS``; ``row`` is a combination or the name of a baseline."""
    is_baseline = row in BASELINES
    facts = CRYSTAL_OBJECTIVES.get(objective)
    return {
        "run": "test",
        "source": "crystals",
        "split": "random",
        "repeat": 0,
        "method": row if is_baseline else "automm",
        "combination": NO_FACET if is_baseline else row,
        "objective": objective,
        "split_method": "random",
        "engine": "dummy" if is_baseline else "automm",
        "label": facts.label,
        "unit": facts.unit,
        "classes": [],
        "is_baseline": is_baseline,
        "role_single": not is_baseline and "+" not in row,
        "role_baseline": is_baseline,
        "role_multi": "+" in row,
        "n_repeats": 1,
        "status": "ok" if ok else "failed",
        "reason": None if ok else "no reason",
        "contains_answer": False,
        "cut_off": None,
        "untrained": [],
        "n_train": 8,
        "n_valid": 1,
        "n_test": 3,
        "n_missing": 0,
        "n_without_part": 0,
        "n_incomplete": 0,
        "tested": "abc",
        "seed": 1,
        "wall_time_s": 1.0,
        "peak_memory_mib": 1.0,
        **changes,
    }


def score_rows(cell: Mapping[str, Any], **values: float) -> list[dict[str, Any]]:
    """Return the rows of ``SCORES`` of a cell: values by metric, or a reason if it failed."""
    if cell["status"] == "failed":
        return list(scores_of_cell(cell, pd.DataFrame()))
    identity = {name: cell[name] for name in KEYS} | {
        "n_test": cell["n_test"],
        "n_nontrivial": cell["n_test"],
    }
    return [
        {**identity, "class": "all", "metric": metric, "value": value, "reason": None}
        for metric, value in values.items()
    ]


def frames(cells: list[dict[str, Any]], scores: list[dict[str, Any]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return both as tables."""
    table = pd.DataFrame(scores, columns=SCORES.names).astype({"value": float})
    return pd.DataFrame(cells, columns=CELLS.names), table
