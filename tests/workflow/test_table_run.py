"""One tiny real run on a table: the content of the results, not only their existence."""

import json
import re
from zipfile import ZipFile

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from project import PROJECT
from report_page import ReportPage
from sklearn.metrics import f1_score, r2_score
from workflow_copy import Workflow

from polyfacet.runtime.parquet import read_table

FACETS = {"ridge_o": "composition+process", "tree_e": "composition+process+compimage"}
SPLITS = [f"{split}-{repeat}" for split in ("random", "formula") for repeat in (0, 1)]


@pytest.fixture(scope="module")
def run(table_run: Workflow) -> Workflow:
    """Return a workflow with a finished run on the invented steels, with one invalid row."""
    return table_run


@pytest.fixture(scope="module")
def results(run):
    return run.folder / "results" / "test_tables"


def test_every_row_is_in_the_table_or_in_its_rejects(results):
    rows = pd.read_parquet(results / "steels" / "sample" / "sample.parquet")
    rejected = pd.read_parquet(results / "steels" / "sample" / "rejected.parquet")
    assert (len(rows), rows["formula"].nunique()) == (48, 16)
    assert rejected[["line", "reason"]].to_numpy().tolist() == [[50, "Tempering is 'warm', not a number"]]
    report = ReportPage.of(results / "report" / "report.html").sections["materials"]
    assert "49 rows, 1 rejected, 16 compositions" in report
    assert "line 50, steels-0049: Tempering is 'warm', not a number" in report


@pytest.mark.parametrize("split", SPLITS)
def test_the_dataset_is_aligned_and_a_grouped_split_keeps_compositions_whole(results, split):
    folder = results / "steels" / split
    dataset = pd.read_parquet(folder / "dataset")
    rows = pd.read_parquet(results / "steels" / "sample" / "sample.parquet")
    rows = rows.set_index("mat_id").loc[dataset["mat_id"]]
    assert len(dataset) == 48
    for facet in ("composition", "process"):
        np.testing.assert_array_equal(np.stack(dataset[facet]), np.stack(rows[facet]))
    np.testing.assert_array_equal(dataset["hardness"], rows["hardness"])
    assert set(dataset["part"]) == {"train", "valid", "test"}
    groups = dataset.groupby("formula")["part"].nunique()
    assert (groups == 1).all() == split.startswith("formula")
    with Image.open(folder / "dataset" / dataset["compimage"][0]) as picture:
        assert picture.size == (84, 96)


def test_each_repeat_has_its_own_test_and_validation_rows(results):
    for split in ("random", "formula"):
        files = [results / "steels" / f"{split}-{repeat}" / "split.parquet" for repeat in (0, 1)]
        parts = [pd.read_parquet(file).set_index("mat_id")["part"] for file in files]
        for part in ("valid", "test"):
            assert set(parts[0].index[parts[0] == part]) != set(parts[1].index[parts[1] == part])


def test_scores_follow_from_the_predictions(results):
    scores = pd.read_csv(results / "report" / "tables" / "scores.csv")
    # A class without test rows and predictions has no precision.
    assert (scores["reason"].isna() == scores["value"].notna()).all()
    keys = ["split", "repeat", "method", "objective", "class", "metric"]
    value = scores.set_index(keys)["value"]
    for split in SPLITS:
        name, repeat = split.split("-")
        for method in ("ridge_o", "tree_e"):
            cells = results / "steels" / split / "cells" / method / FACETS[method]
            for objective, metric in (("hardness", "r2"), ("grade", "macro_f1")):
                rows = pd.read_parquet(cells / objective / "predictions.parquet")
                test = rows[rows["part"] == "test"]
                numbers, classes = ("y_true", "y_pred"), ("true_class", "predicted_class")
                truth, predicted = (test[name] for name in (numbers if metric == "r2" else classes))
                expected = (
                    r2_score(truth, predicted)
                    if metric == "r2"
                    else f1_score(truth, predicted, average="macro")
                )
                assert value[name, int(repeat), method, objective, "all", metric] == pytest.approx(expected)
                card = json.loads((cells / objective / "card.json").read_text())
                assert card["seed"] == 42 + int(repeat)
                assert card["counts"]["n_test"] == len(test)


def test_the_comparison_is_the_mean_over_the_repeats(results):
    scores = pd.read_csv(results / "report" / "tables" / "scores.csv").query(
        "objective == 'hardness' and metric == 'r2'"
    )
    comparison = pd.read_csv(results / "report" / "tables" / "summary.csv")
    ours = comparison.query("objective == 'hardness' and metric == 'r2'").set_index(["split", "method"])
    for (split, method), values in scores.groupby(["split", "method"])["value"]:
        assert ours.loc[(split, method), "mean"] == pytest.approx(values.mean())
        assert ours.loc[(split, method), "std"] == pytest.approx(values.std())
    # The invented hardness is linear in the columns of the table, so a linear model learns it.
    assert ours.loc[("random", "ridge_o"), "mean"] > 0.95


def test_the_report_shows_all_objectives_and_methods(results):
    page = ReportPage.of(results / "report" / "report.html")
    rows = page.rows("scores-steels-random-numbers")
    assert {row.split(" | ")[1] for row in rows[1:]} >= {"ridge_o", "tree_e"}
    assert any("Grade" in row for row in page.rows("scores-steels-formula-classes"))
    assert page.sections["summary"].count("Do several facets beat the best single facet?") == 2
    tables = (results / "report" / "tables.md").read_text()
    assert tables.index("### steels: Hardness") < tables.index("### steels: Grade")
    assert "## MASE: steels, split `random`" in tables


def test_every_table_of_the_evaluation_is_a_csv(results):
    tables = results / "report" / "tables"
    for path in (results / "evaluation").glob("*.parquet"):
        if path.stem != "predictions":
            assert len(pd.read_csv(tables / f"{path.stem}.csv")) == len(pd.read_parquet(path))


def test_snakemake_makes_a_report_of_the_run(run):
    run.run("--configfile", "config/test_tables.yaml", "--report", "report.zip")
    with ZipFile(run.folder / "report.zip") as archive:
        names = archive.namelist()
        texts = "".join(
            archive.read(name).decode("utf-8", "replace")
            for name in names
            if name.endswith((".js", "report.html"))
        )
    assert any(name.endswith("report.html") for name in names)
    for said in ("All results on one page", "Pictures", "Figures", "Tables", "which facets pay"):
        assert said in texts


def test_rows_of_scores_and_predictions_identify_their_cell(results):
    scores = pd.read_parquet(results / "evaluation" / "scores.parquet")
    predictions = pd.read_parquet(results / "evaluation" / "predictions.parquet")
    cells = pd.read_parquet(results / "evaluation" / "cells.parquet")
    keys = ["run", "source", "split", "repeat", "method", "combination", "objective"]
    identities = [set(map(tuple, table[keys].to_numpy())) for table in (scores, predictions, cells)]
    assert len(identities[2]) == len(cells) == 3 * 2 * 2 * 2
    assert identities[0] == identities[1] == identities[2]
    assert len(predictions) == 48 * len(cells)


def test_methods_are_chosen_and_compared(results):
    tables = {path.stem: read_table(path) for path in (results / "evaluation").glob("*.parquet")}
    choices, tests = tables["choices"], tables["tests"]
    # The invented steels follow from the columns of the table; no method looks at a single facet.
    assert set(choices["role"]) == {"baseline", "multi", "any"}
    assert set(choices.loc[choices["role"] == "any", "method"]) == {"ridge_o"}
    assert len(tests) == 3 * 2 * 2
    against_baseline = tests[tests["comparison"] == "multi vs baseline"]
    assert (against_baseline["difference"] < 0).all()
    assert set(against_baseline["n_repeats"]) == {2}
    assert (
        tests.loc[tests["comparison"] == "multi vs single", "reason"]
        .str.startswith("no cell of a single")
        .all()
    )
    assert tables["contributions"].empty
    mae = tables["summary"].query("metric == 'mae'")
    assert ((mae["low"] <= mae["mean"]) & (mae["mean"] <= mae["high"])).all()


def test_the_run_is_audited(results):
    tables = {path.stem: read_table(path) for path in (results / "evaluation").glob("*.parquet")}
    facets = set(tables["audit"]["facet"])
    assert facets == {"composition", "process", "compimage"}
    assert not tables["audit"]["follows"].any()
    parts = tables["audit_parts"].set_index("split")
    # Three rows have the same composition.
    assert (parts.loc["formula", "formulas_across"] == 0).all()
    assert (parts.loc["random", "formulas_across"] > 0).all()
    assert (parts[["n_train", "n_valid", "n_test"]].sum(axis=1) == 48).all()
    assert set(tables["floors"]["objective"]) == {"hardness"}
    # No cell looks at the composition alone but the baseline.
    assert tables["below_floor"].empty


def test_intervals_and_errors_are_those_of_the_predictions(results):
    tables = {path.stem: read_table(path) for path in (results / "evaluation").glob("*.parquet")}
    intervals = tables["intervals"]
    assert len(intervals) == len(tables["cells"])
    n_valid = tables["audit_parts"]["n_valid"].unique()
    assert (n_valid < 10).all()
    assert set(intervals["reason"]) == {
        f"90% needs 9 validation materials, and there are {n}" for n in n_valid
    }
    assert tables["zeros"].empty
    errors = tables["errors_by_group"].query("group == 'Fe' and objective == 'hardness'")
    test = tables["predictions"].query("part == 'test' and objective == 'hardness'")
    for row in errors.itertuples():
        own = test.query("split == @row.split and method == @row.method")
        assert row.n == len(own)
        assert row.mae == pytest.approx((own["y_pred"] - own["y_true"]).abs().mean())
    assert set(tables["worst"]["objective"]) == {"hardness"}


def test_a_second_run_has_nothing_to_do(run):
    assert run.jobs("--configfile", "config/test_tables.yaml") == {}


def test_the_examples_of_the_python_page_work(run, results, monkeypatch):
    page = (PROJECT / "docs" / "python.md").read_text(encoding="utf-8")
    monkeypatch.chdir(run.folder)
    names: dict = {}
    for example in re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL):
        exec(example, names)
    assert set(names["hardness"]["metric"]) == {"mae"}
    stored = pd.read_parquet(results / "evaluation" / "predictions.parquet")
    stored = stored.query(
        "objective == 'hardness' and method == 'ridge_o' and split == 'random' and repeat == 0 "
        # Validation rows are predicted by another fit.
        "and part != 'valid'"
    ).set_index("mat_id")["y_pred"]
    predicted = names["rows"].set_index("mat_id")["predicted"]
    np.testing.assert_allclose(predicted[stored.index], stored)
