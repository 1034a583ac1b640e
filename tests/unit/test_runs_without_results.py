"""Runs in which no cell has a result: tables, figures and findings are written all the same."""

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from grid_cells import cell_of, sample_of, tables_of_run

import collect_results
import tabulate_results
from polyfacet.evaluation.tables import CELLS, SCORES
from polyfacet.facets.registry import GRAPH
from polyfacet.materials.objectives import Objective
from polyfacet.runtime.parquet import read_table, write_table
from polyfacet.training.cards import write_card
from polyfacet.training.cells import PREDICTIONS, train
from polyfacet.training.engines.base import Resources
from polyfacet.training.engines.creation import create

N = 12
OBJECTIVES = [
    Objective("strength", "Strength", "MPa"),
    Objective("hardness", "Hardness"),
    Objective("phase", "Phase", classes=("a", "b")),
]
METHODS = {
    "tree": ("classical", {"model": "tree"}),
    "svm": ("classical", {"model": "svm"}),
    "mean": ("dummy", {}),
}


@pytest.fixture
def failed(tmp_path: Path) -> list[Path]:
    """Cells of methods, objectives and splits that have the same answer for all materials."""
    frame = pd.DataFrame({"mat_id": [f"m{i}" for i in range(N)], "formula": "NaCl", "part": "train"})
    frame.loc[N - 3 :, "part"] = "test"
    graph = list(np.random.default_rng(0).normal(size=(N, 3)))
    rows = frame.assign(graph=graph, facets=[["graph"]] * N)
    folders = []
    for split in ("random", "formula"):
        for method, (engine, settings) in METHODS.items():
            folders.append(tmp_path / split / method)
            for objective in OBJECTIVES:
                answer = objective.classes[0] if objective.classes else 0.0
                facets = () if engine == "dummy" else (GRAPH,)
                cell = cell_of(facets, objective, engine, method=method, split=split, source="steels")
                home = folders[-1] / cell.combination / objective.column
                trainer = create(engine, settings, Resources(1))
                table, card = train(cell, trainer, rows.assign(**{objective.column: answer}), home / "model")
                assert card.status == "failed"
                write_card(home / "card.json", card)
                write_table(home / "predictions.parquet", table, PREDICTIONS)
    return folders


def test_all_outputs_are_there_and_say_that_nothing_came_out(failed: list[Path], tmp_path: Path) -> None:
    tables = tables_of_run(tmp_path / "tables")
    texts = [tmp_path / name for name in ("mae.csv", "mase.csv", "tables.md")]
    with warnings.catch_warnings():
        warnings.simplefilter("error", FutureWarning)
        objectives = {"steels": {objective.column: objective.shown for objective in OBJECTIVES}}
        sample = sample_of([f"m{i}" for i in range(N)], tmp_path)
        collect_results.main(failed, [sample], **tables, reference="tree", objectives=objectives)
        tabulate_results.main(tables["cells_table"], tables["scores"], *texts, reference="tree", published=[])
    cells = read_table(tables["cells_table"], CELLS)
    assert len(cells) == 2 * len(METHODS) * len(OBJECTIVES)
    assert set(cells["status"]) == {"failed"}
    # As configured, not in the order of the alphabet.
    assert list(cells["objective"]) == [objective.column for objective in OBJECTIVES] * 2 * len(METHODS)
    assert cells["reason"].str.contains("is always").all()
    assert read_table(tables["scores"], SCORES)["value"].isna().all()
    assert len(read_table(tables["predictions"], PREDICTIONS)) == len(cells) * N
    text = texts[2].read_text()
    assert "steels, split `random`: Strength: no cell has a result" in text
    assert "is best" not in text
