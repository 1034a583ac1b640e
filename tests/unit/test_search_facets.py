"""The script that searches test materials by their facets, and its section of the report."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from joint_rows import SMALL

import search_facets
from polyfacet.evaluation.representations.tables import (
    ALIGNMENT,
    GEOMETRY,
    OF_FACETS,
    OF_PAIRS,
    RANDOM_PAIRS,
)
from polyfacet.evaluation.retrieval.schema import RETRIEVAL
from polyfacet.evaluation.retrieval.searching import COMPOSITION as DECODED
from polyfacet.facets.registry import COMPOSITION, MICROSTRUCTURE, PROCESS
from polyfacet.materials.objectives import Objective
from polyfacet.reporting.page.representations import representations
from polyfacet.reporting.page.retrieval import retrieval
from polyfacet.runtime.parquet import read_table
from polyfacet.splits.parts import SPLIT, TEST, TRAIN
from polyfacet.training.engines.base import Resources
from polyfacet.training.engines.joint.foundation import train_foundation
from polyfacet.training.engines.joint.settings import JointSettings
from polyfacet.training.foundations import FAILURE_FILE

FACETS = (COMPOSITION, PROCESS, MICROSTRUCTURE)
SETTINGS = {**SMALL, "pretraining": {"contrast": "all_pairs", "epochs": 20, "afterwards": "frozen"}}
PLACE = {
    "run": "r",
    "source": "steel",
    "split": "random",
    "split_method": "random",
    "repeat": "0",
    "method": "joint",
}
N_TEST = 40


def alloys(n: int) -> pd.DataFrame:
    """Return rows whose microstructure follows from composition and process."""
    random = np.random.default_rng(0)
    amounts = random.dirichlet(np.ones(3), size=n).round(3)
    process = random.normal(size=(n, 3))
    map_ = np.random.default_rng(1).normal(size=(6, 4))
    return pd.DataFrame(
        {
            "mat_id": [f"m{i:03d}" for i in range(n)],
            "formula": [
                "".join(f"{s}{x:.3f}" for s, x in zip(("Cr", "Fe", "Mn"), row, strict=True))
                for row in amounts
            ],
            "composition": list(amounts),
            "process": list(process),
            "microstructure": list(np.hstack([amounts, process]) @ map_),
            "hv": process[:, 0],
        }
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("searched")
    files = {name: folder / name for name in ("sample", "split", "foundation")}
    rows = alloys(200)
    rows.to_parquet(files["sample"])
    parts = [TRAIN] * (len(rows) - N_TEST) + [TEST] * N_TEST
    split = rows[["mat_id"]].assign(group=rows["formula"], part=parts)
    split[SPLIT.names].to_parquet(files["split"])
    train = rows[:-N_TEST].assign(
        group=rows["formula"], facets=[[each.name for each in FACETS]] * (200 - N_TEST)
    )
    found = train_foundation(JointSettings(**SETTINGS), train, FACETS, [Objective("hv")], Resources(seed=0))
    files["foundation"].mkdir()
    found.save(files["foundation"])
    return files


def searched(files: dict[str, Path], to: Path) -> pd.DataFrame:
    search_facets.main(
        files["sample"],
        files["split"],
        [],
        files["foundation"],
        to,
        to.with_suffix(".geometry.parquet"),
        place=PLACE,
        facets=[each.name for each in FACETS],
        engine="joint",
        settings=SETTINGS,
        seed=0,
    )
    return read_table(to, RETRIEVAL)


def test_pretrained_facets_find_each_other_and_untrained_ones_do_not(run, tmp_path):
    table = searched(run, tmp_path / "retrieval.parquet")
    assert set(table["method"]) == {"joint", "untrained", "ridge", "cca", DECODED}
    assert (table["n_queries"] == N_TEST).all()
    own = table.query(
        "query == 'process' and item == 'microstructure' and gallery == 'all'"
        " and relevance == 'material' and metric == 'recall@10'"
    ).set_index("method")
    assert own["chance"].tolist() == [pytest.approx(10 / N_TEST)] * 5
    assert own.loc["joint", "value"] > own.loc["untrained", "value"] + 0.2
    assert own.loc["ridge", "value"] > 0.6
    assert own.loc[DECODED, "value"] < 0.6
    (section,) = retrieval([table, table])
    rows = [[cell.text for cell in row] for row in section.parts[1].rows]
    assert ["process", "microstructure", "joint"] in [row[:3] for row in rows]
    assert len(rows) == 6 * 5
    assert retrieval([table[:0]]) == []


def test_pretraining_aligns_facets_that_an_untrained_network_does_not(run, tmp_path):
    searched(run, tmp_path / "retrieval.parquet")
    table = read_table(tmp_path / "retrieval.geometry.parquet", GEOMETRY)
    assert set(table["method"]) == {"joint", "untrained"}
    assert set(table["metric"]) == {*OF_FACETS, *OF_PAIRS}
    pair = table.query("facet == 'process' and other == 'microstructure'")
    values = pair.pivot(index="method", columns="metric", values="value")
    gain = values[RANDOM_PAIRS] - values[ALIGNMENT]
    assert gain["joint"] > 2 * abs(gain["untrained"])
    (section,) = representations([table, table[:0]])
    assert [len(part.rows) for part in section.parts[1:]] == [3 * 2, 3 * 2]
    assert representations([]) == []


def test_a_foundation_that_could_not_be_made_leaves_an_empty_table(run, tmp_path):
    failed = tmp_path / "failed"
    failed.mkdir()
    (failed / FAILURE_FILE).write_text("too few rows")
    assert searched({**run, "foundation": failed}, tmp_path / "retrieval.parquet").empty
