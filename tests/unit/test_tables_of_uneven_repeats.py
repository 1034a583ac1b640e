"""Tables in Markdown and CSV of a run whose methods have different numbers of repeats."""

from pathlib import Path

import pandas as pd
import pytest
from evaluated_run import MadeUpRun

import tabulate_results

CONTROL = "(untrained control)"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> MadeUpRun:
    """Return a run in which one method has the first of three repeats; test parts have 12, 14 and 16 rows."""
    folder = tmp_path_factory.mktemp("runs") / "uneven"
    methods = {"ridge": 3, "boosting": 1}
    return MadeUpRun(folder, methods=methods, n_test=12, growth=2, untrained=("graph",)).write()


@pytest.fixture(scope="module")
def folder(run: MadeUpRun) -> Path:
    files = [run.evaluation / f"{name}.parquet" for name in ("cells", "scores")]
    outputs = [run.folder / name for name in ("mae.csv", "mase.csv", "tables.md")]
    tabulate_results.main(*files, *outputs, reference="mean", published=[])
    return run.folder


@pytest.fixture(scope="module")
def mase(run: MadeUpRun) -> pd.DataFrame:
    """MASE of the gap by method and combination (rows) and repeat (columns), without controls."""
    scores = pd.read_parquet(run.evaluation / "scores.parquet").query("metric == 'mase'")
    trained = scores[(scores["objective"] == "gap") & ~scores["combination"].str.contains("graph")]
    return trained.pivot(index=["method", "combination"], columns="repeat", values="value")


def test_the_best_is_that_of_the_repeats_that_all_methods_have(folder: Path, mase: pd.DataFrame) -> None:
    text = (folder / "tables.md").read_text()
    section = text.split("## MASE: crystals")[1].split("\n## ")[0]
    shared, whole = section.split("Means over all repeats of each method.")
    assert "Over the 1 repeat that all methods have:" in shared
    (bold,) = [
        line for line in shared.splitlines() if line.startswith("|") and line.split("|")[2].count("**")
    ]
    best = mase[0].idxmin()
    name = f"{best[0]}: {best[1]}"
    assert bold.split("|")[1].strip().startswith(name)
    assert f"**{mase[0].min():.3f}**" in bold
    assert "**" not in whole
    assert "Band gap 12 (" in shared
    assert "Band gap 12 to 16 (" in whole
    assert f"| ridge: text | {mase.loc[('ridge', 'text')].mean():.3f} ±" in whole
    found = text.split("\n## ")[0]
    assert (
        f"split `formula`, over the 1 repeat that all methods have: Band gap: best facets: `{name}" in found
    )
    assert f"MASE {mase[0].min():.3f}" in found


def test_objectives_that_different_methods_have_are_compared_on_repeats_of_their_own(tmp_path: Path) -> None:
    lacking = [("boosting", "e_form")]
    run = MadeUpRun(tmp_path / "run", methods={"ridge": 3, "boosting": 1}, lacking=lacking).write()
    files = [run.evaluation / f"{name}.parquet" for name in ("cells", "scores")]
    outputs = [run.folder / name for name in ("mae.csv", "mase.csv", "tables.md")]
    tabulate_results.main(*files, *outputs, reference=None, published=[])
    text = outputs[-1].read_text()
    assert "Over the repeats that all methods of an objective have (1 to 3, by objective):" in text
    assert "over the 1 repeat that all methods have: Band gap" in text
    assert "over the 3 repeats that all methods have: Formation energy" in text


def test_controls_are_not_ranked_and_nothing_reads_like_a_verdict(run: MadeUpRun, folder: Path) -> None:
    scores = pd.read_parquet(run.evaluation / "scores.parquet")
    of_gap = scores.query("metric == 'mase' and objective == 'gap' and repeat == 0")
    # Otherwise, this tests nothing.
    assert "graph" in of_gap.loc[of_gap["value"].idxmin(), "combination"]
    text = (folder / "tables.md").read_text()
    found = text.split("\n## ")[0]
    assert CONTROL not in found
    assert "beat the baselines" not in found
    assert not [line for line in text.splitlines() if "**" in line and CONTROL in line]
    table = pd.read_csv(folder / "mae.csv", keep_default_na=False)
    assert table["control"].tolist() == table["combination"].str.contains("graph").tolist()


def test_fewer_repeats_and_controls_are_marked(folder: Path) -> None:
    text = (folder / "tables.md").read_text()
    rows = {line.split("|")[1].strip(" `") for line in text.splitlines() if line.startswith("| ")}
    assert {
        f"boosting: graph {CONTROL} (1 of 3 repeats)",
        "boosting: text (1 of 3 repeats)",
        f"ridge: text+graph {CONTROL}",
        "ridge: text",
        "mean",
    } <= rows
    side_by_side = text.split("## Methods side by side")[1]
    marked = [line for line in side_by_side.splitlines() if line.startswith("| `boosting: text` ")]
    assert len(marked) == 3
    assert all(line.split(" | ")[1].endswith("(1 of 3 repeats)") for line in marked)
    assert f"`ridge: graph {CONTROL}`" in side_by_side


def test_the_csv_says_over_how_many_repeats_means_are(folder: Path, mase: pd.DataFrame) -> None:
    table = pd.read_csv(folder / "mase.csv", keep_default_na=False).set_index(["method", "combination"])
    assert table["repeats"].groupby("method").unique().map(list).to_dict() == {
        "boosting": [1],
        "mean": [3],
        "ridge": [3],
    }
    assert float(table.loc[("ridge", "text"), "gap"]) == pytest.approx(mase.loc[("ridge", "text")].mean())
