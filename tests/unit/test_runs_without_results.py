"""Runs in which no cell has a result: tables, figures and findings are written all the same."""

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import compare_methods
import merge_cards
import plot_comparison
import plot_results
import tabulate_results
from polyfacet.evaluation.scores import SCORES, compare
from polyfacet.facets.registry import Facet
from polyfacet.materials.objectives import Objective
from polyfacet.materials.targets import Target
from polyfacet.reporting.comparison.findings import findings
from polyfacet.reporting.comparison.sections import sections
from polyfacet.reporting.results import CELLS
from polyfacet.runtime.parquet import read_table
from polyfacet.training.cards import write_card
from polyfacet.training.cells import Cell, train
from polyfacet.training.engines.base import Resources
from polyfacet.training.engines.registry import create

N = 12


@pytest.fixture
def rows() -> pd.DataFrame:
    """Materials that are all the same but for their features."""
    frame = pd.DataFrame({"mat_id": [f"m{i}" for i in range(N)], "formula": "NaCl", "part": "train"})
    frame.loc[N - 3 :, "part"] = "test"
    embedding = list(np.random.default_rng(0).normal(size=(N, 3)))
    return frame.assign(embedding=embedding, facets=[["tabular"]] * N)


def fail(
    rows: pd.DataFrame, objective: Objective, engine: str, settings: dict[str, str], folder: Path
) -> Path:
    """Train a cell on answers that are all the same; give its card."""
    answer = objective.classes[0] if objective.classes else 0.0
    facets = () if engine == "dummy" else (Facet.TABULAR,)
    cell = Cell(facets, objective, "split-0", engine, seed=1, threads=1)
    trainer = create(engine, settings, Resources(1))
    _, card = train(cell, trainer, rows.assign(**{objective.column: answer}), folder / "model")
    assert card.status == "failed"
    write_card(folder / "card.json", card)
    return folder / "card.json"


def test_a_comparison_without_results(rows: pd.DataFrame, tmp_path: Path) -> None:
    objectives = [
        Objective("strength", "Strength", "MPa"),
        Objective("hardness", "Hardness"),
        Objective("phase", "Phase", classes=("a", "b")),
    ]
    cells = [tmp_path / "steels" / f"{split}-0" / "cells" / "classical" for split in ("random", "formula")]
    for folder in cells:
        for method in ("tree", "svm"):
            for objective in objectives:
                fail(rows, objective, "classical", {"model": method}, folder / method / objective.column)
    names = {name: tmp_path / name for name in ("scores.parquet", "scores.csv", "comparison.csv")}
    with warnings.catch_warnings():
        warnings.simplefilter("error", FutureWarning)
        compare_methods.main(
            cells,
            *names.values(),
            targets=[objective.column for objective in objectives],
            methods=["tree", "svm"],
            reference="tree",
        )
        plot_comparison.main(names["scores.parquet"], tmp_path / "comparison.png", published=[])
        comparison = compare(read_table(names["scores.parquet"], SCORES), "tree")
        assert findings(comparison, [], "tree") == []
    assert (tmp_path / "comparison.png").stat().st_size > 0
    assert len(sections(comparison)) == len(objectives) + 1


def test_a_run_on_crystals_without_results(rows: pd.DataFrame, tmp_path: Path) -> None:
    objectives = [Target.E_HULL.objective, Target.GAP.objective]
    cards = [
        fail(rows, objective, "classical", {"model": "tree"}, tmp_path / objective.column)
        for objective in objectives
    ]
    dummies = [
        fail(rows, objective, "dummy", {"statistic": name}, tmp_path / name / objective.column)
        for objective in objectives
        for name in ("mean", "median")
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("error", FutureWarning)
        merge_cards.main(cards, dummies, tmp_path / "cells.parquet", tmp_path / "cells.csv")
        files = {name: tmp_path / name for name in ("mae.csv", "mae.md", "mase.csv", "mase.md")}
        tabulate_results.main(tmp_path / "cells.parquet", *files.values())
        plot_results.main(tmp_path / "cells.parquet", tmp_path / "heatmap.png", tmp_path / "bars.png")
    frame = read_table(tmp_path / "cells.parquet", CELLS)
    assert set(frame["status"]) == {"failed"}
    assert frame["reason"].str.contains("is always 0").all()
    assert files["mae.md"].read_text().count("n/a") == len(cards) + len(dummies)
