"""Bundles and predictions of a tiny run on a table, by the rules and as documented."""

import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bundled_predictions import TOLERANCE, assert_same_bits, stored_of_model
from made_up_bundle import write_made_up_bundle
from project import PROJECT
from small_run import small_run
from workflow_copy import Workflow

from polyfacet.facets.registry import GRAPH, TEXT
from polyfacet.materials.crystal_objectives import E_FORM
from polyfacet.use import command
from polyfacet.use.prediction.bundle import Bundle

TABLES = ("--configfile", "config/test_tables.yaml", "--rerun-incomplete")
CELL = "ridge_o/composition+process/hardness"
SPLIT = "results/test_tables/steels/random-0"


@pytest.fixture(scope="module")
def run(table_run: Workflow) -> Workflow:
    """Return a workflow with the bundles of the invented steels."""
    return table_run


def test_every_trained_cell_has_a_bundle(run: Workflow) -> None:
    cells = {path.parent.relative_to(run.folder) for path in run.folder.glob("results/**/card.json")}
    bundles = {path.parent.relative_to(run.folder) for path in run.folder.glob("results/**/bundle.json")}
    assert len(cells) == 24
    assert {str(path).replace("/cells/", "/bundles/") for path in cells} == set(map(str, bundles))
    assert run.jobs(*TABLES, "bundles") == {}


def test_the_examples_of_the_page_work(run: Workflow, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (PROJECT / "docs" / "predict.md").read_text(encoding="utf-8")
    monkeypatch.chdir(run.folder)
    names: dict = {}
    (example,) = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    exec(example, names)
    found = names["found"].predictions
    # The rows are called after the file here, after the table in the run; both are numbered.
    found.index = found["mat_id"].str.replace("invented_steels", "steels")
    stored = stored_of_model(run.folder / SPLIT / "cells" / CELL)["y_pred"]
    np.testing.assert_allclose(found["prediction"][stored.index], stored, rtol=1e-12)
    bundle = f"{SPLIT}/bundles/{CELL}"
    assert bundle in page
    assert command.main(["predict", bundle, "embedded/invented_steels.csv", "--output", "a.csv"]) == 0
    table = pd.read_csv("a.csv")
    np.testing.assert_allclose(table["prediction"], found["prediction"], rtol=1e-12)


@pytest.mark.parametrize("objective", ["hardness", "grade"])
@pytest.mark.parametrize(
    "cell", ["ridge_o/composition+process", "tree_e/composition+process+compimage", "mean/none"]
)
def test_rows_of_a_table_are_predicted_as_in_the_run(run: Workflow, cell: str, objective: str) -> None:
    bundle = Bundle.open(run.folder / SPLIT / "bundles" / cell / objective)
    predicted = bundle.predict(run.folder / "embedded" / "invented_steels.csv").predictions
    predicted["mat_id"] = predicted["mat_id"].str.replace("invented_steels", "steels")
    assert_same_bits(predicted, stored_of_model(run.folder / SPLIT / "cells" / cell / objective))


def new_steels(n: int) -> pd.DataFrame:
    """Vary the invented steels, and add a row that cannot be used."""
    steels = pd.read_csv(PROJECT / "embedded" / "invented_steels.csv")
    rows = pd.concat([steels] * (n // len(steels) + 1), ignore_index=True)[:n]
    generator = np.random.default_rng(1)
    rows["Tempering"] = rows["Tempering"].astype(float) + generator.integers(0, 50, n)
    return rows[["C", "Mn", "Cr", "Tempering"]]


def test_hundreds_are_predicted_in_shards_and_only_missing_shards_are_repeated(run: Workflow) -> None:
    rows = new_steels(300)
    rows.to_csv(run.folder / "new.csv", index=False)
    with (run.folder / "new.csv").open("a") as table:
        table.write("0.2,0.4,0.1,warm\n")

    def settings(shards: int) -> list[str]:
        section = f"predict={{bundle: {SPLIT}/bundles/{CELL}, sources: [new.csv], shards: {shards}}}"
        return ["--config", section, f"run_name=shards{shards}", "--rerun-incomplete", "predict"]

    assert run.jobs(*settings(3)) == {
        "read_new_materials": 1,
        "predict_materials": 3,
        "gather_predictions": 1,
        "predict": 1,
    }
    run.run(*settings(3))
    home = run.folder / "results" / "shards3" / "predictions"
    whole = pd.read_parquet(home / "predictions.parquet")
    assert len(whole) == len(rows)
    assert whole["mat_id"].is_unique
    (reject,) = pd.read_parquet(home / "rejected.parquet").to_dict("records")
    assert (reject["position"], reject["reason"]) == (302, "Tempering is 'warm', not a number")
    assert run.jobs(*settings(3)) == {}
    # As after an interruption: the result and one shard are missing.
    for name in ("predictions.parquet", "shard-1.parquet"):
        (home / name).unlink()
    repeated = run.jobs(*settings(3))
    assert (repeated["predict_materials"], repeated.get("read_new_materials")) == (1, None)
    run.run(*settings(1))
    alone = pd.read_parquet(run.folder / "results" / "shards1" / "predictions" / "predictions.parquet")
    alone, whole = (table.sort_values("mat_id", ignore_index=True) for table in (alone, whole))
    pd.testing.assert_frame_equal(alone, whole, rtol=1e-12)


@pytest.fixture(scope="module")
def of_crystals(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Path]]:
    """Return a bundle that looks at texts and graphs, and files of crystals."""
    small = small_run(tmp_path_factory.mktemp("small"), 24)
    cell = small.train("ridge", "classical", {"model": "ridge"}, (TEXT, GRAPH), E_FORM.objective)
    bundles = small.bundle([cell], small.file("bundles"))
    return bundles / cell, sorted(small.file("structures").glob("*.cif"))


def test_crystals_are_predicted_in_shards_and_resumed_as_by_the_command(
    run: Workflow, of_crystals: tuple[Path, list[Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle, files = of_crystals
    monkeypatch.chdir(run.folder)
    new = Path("new_crystals")
    new.mkdir()
    for path in files:
        shutil.copy(path, new)
    (new / "broken.cif").write_text("data_broken\n")
    section = f"predict={{bundle: {bundle}, sources: [{new}], shards: 2}}"
    settings = ("--config", section, "run_name=new_crystals", "--rerun-incomplete", "predict")
    run.run(*settings)
    home = Path("results/new_crystals/predictions")
    whole = pd.read_parquet(home / "predictions.parquet")
    kept = (home / "shard-0.parquet").stat().st_mtime_ns
    # As after an interruption.
    for name in ("predictions.parquet", "shard-1.parquet"):
        (home / name).unlink()
    run.run(*settings)
    pd.testing.assert_frame_equal(pd.read_parquet(home / "predictions.parquet"), whole)
    assert (home / "shard-0.parquet").stat().st_mtime_ns == kept
    sizes = [len(pd.read_parquet(home / f"shard-{shard}.parquet")) for shard in (0, 1)]
    assert min(sizes) > 0
    assert sum(sizes) == len(files)
    assert command.main(["predict", str(bundle), str(new), "--output", "crystals.parquet"]) == 0
    alone = pd.read_parquet("crystals.parquet")
    whole, alone = (table.sort_values("mat_id", ignore_index=True) for table in (whole, alone))
    # Rounding depends on how many are predicted together.
    within = TOLERANCE * whole["prediction"].std()
    pd.testing.assert_frame_equal(whole, alone, rtol=0, atol=within)
    (reject,) = pd.read_parquet(home / "rejected.parquet").to_dict("records")
    (of_command,) = pd.read_csv("crystals.parquet.rejected.csv").to_dict("records")
    assert reject["mat_id"] == of_command["mat_id"] == "broken"
    assert reject["reason"] == of_command["reason"]


def test_predictions_without_a_bundle_are_explained(run: Workflow) -> None:
    output = run.run("--dry-run", "predict", check=False)
    assert "`snakemake predict` needs a bundle and new materials" in output


def test_new_materials_of_a_bundle_for_crystals_are_planned(run: Workflow) -> None:
    write_made_up_bundle(run.folder / "bundle")
    section = "predict={bundle: bundle, sources: [embedded/entries.json.bz2]}"
    jobs = run.jobs("--config", section, "run_name=new", "--rerun-incomplete", "predict")
    assert jobs["predict_materials"] >= 1


def test_predictions_on_a_cluster_are_planned_with_resources(run: Workflow) -> None:
    write_made_up_bundle(run.folder / "bundle_of_cluster")
    section = "predict={bundle: bundle_of_cluster, sources: [embedded/entries.json.bz2], shards: 3}"
    given = ("--config", section, "run_name=cluster", "--workflow-profile", "profiles/slurm")
    output = run.run("--dry-run", *given, "predict")
    jobs = re.findall(r"^rule predict_materials:\n(?:    .*\n)+", output, re.MULTILINE)
    assert len(jobs) == 3
    for job in jobs:
        assert re.search(r"resources:.* mem_mb=\d+, .*slurm_account=lab, runtime=\d+", job)
