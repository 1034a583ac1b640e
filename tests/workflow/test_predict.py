"""Bundles and predictions of a tiny run on a table, by the rules and as documented."""

import re

import numpy as np
import pandas as pd
import pytest
from made_up_bundle import write_made_up_bundle
from project import PROJECT
from workflow_copy import Workflow

from polyfacet.use import command

TABLES = ("--configfile", "config/test_tables.yaml", "--rerun-incomplete")
CELL = "ridge_o/composition+process/hardness"
SPLIT = "results/test_tables/steels/random-0"


@pytest.fixture(scope="module")
def run(table_run: Workflow) -> Workflow:
    """Return a workflow with the bundles of the invented steels."""
    return table_run


def stored(run: Workflow) -> pd.Series:
    """Return the stored predictions of the saved model; validation rows are predicted by another fit."""
    rows = pd.read_parquet(run.folder / SPLIT / "cells" / CELL / "predictions.parquet").query(
        "part != 'valid'"
    )
    return rows.set_index("mat_id")["y_pred"]


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
    np.testing.assert_allclose(found["prediction"][stored(run).index], stored(run), rtol=1e-12)
    bundle = f"{SPLIT}/bundles/{CELL}"
    assert bundle in page
    assert command.main(["predict", bundle, "embedded/invented_steels.csv", "--output", "a.csv"]) == 0
    table = pd.read_csv("a.csv")
    np.testing.assert_allclose(table["prediction"], found["prediction"], rtol=1e-12)


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
