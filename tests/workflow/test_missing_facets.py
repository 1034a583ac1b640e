"""An engine that shares what it learns of all objectives, and accepts rows without some facets, in a run."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from project import PROJECT
from report_page import ReportPage
from workflow_copy import Workflow, copy_workflow

from polyfacet.runtime import plugins
from polyfacet.runtime.plugins import use_plugins
from polyfacet.use.prediction.bundle import Bundle

PLUGINS = {
    "packing.py": PROJECT / "tests" / "extension" / "facet.py",
    "eneg.py": PROJECT / "tests" / "electronegativity_facet.py",
    "tolerant.py": PROJECT / "tests" / "tolerant_engine.py",
}
RUN = {
    "run_name": "missing",
    "plugins": list(PLUGINS),
    "sources": ["embedded/entries.json.bz2"],
    "n_materials": 60,
    "objectives": ["e_form", "vol_atom", {"name": "direct_gap", "column": "band_gap_dir"}],
    "splits": {"formula": {}, "highest": {"objective": "e_form"}},
    "combinations": ["packing", "eneg", "eneg+packing"],
    "methods": {
        "tolerant": {"engine": "tolerant"},
        "few": {"engine": "tolerant", "objectives": ["e_form"]},
        "trees": {"engine": "classical", "settings": {"model": "tree"}},
        "mean": {"engine": "dummy"},
    },
    # Every other material lacks a facet, and the volume per atom is a number of the other.
    "max_rejected_fraction": 1.0,
    "training": {"leaks": "allow"},
    "report": {"reference": "mean"},
}
BOTH = "eneg+packing"


class Incomplete(Workflow):
    """A workflow that runs this configuration."""

    def arguments(self, *arguments: str) -> list[str]:
        """Return the arguments of the command line of Snakemake."""
        return ["--cores", "2", "--configfile", "missing.yaml", *arguments]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Incomplete:
    """Return a finished run with bundles."""
    workflow = Incomplete(copy_workflow(tmp_path_factory.mktemp("missing")).folder)
    for name, path in PLUGINS.items():
        shutil.copy(path, workflow.folder / name)
    (workflow.folder / "missing.yaml").write_text(yaml.safe_dump(RUN))
    workflow.run("--", "all", "bundles")
    return workflow


@pytest.fixture(scope="module")
def results(run: Incomplete) -> Path:
    return run.folder / "results" / "missing"


@pytest.fixture(scope="module")
def cells(results: Path) -> pd.DataFrame:
    return pd.read_parquet(results / "evaluation" / "cells.parquet")


def cards_of(results: Path, split: str, method: str) -> dict[str, dict]:
    home = results / "crystals" / split / "cells" / method
    return {
        path.parent.relative_to(home).as_posix(): json.loads(path.read_text())
        for path in sorted(home.glob("*/*/card.json"))
    }


def test_all_cells_are_trained_and_rows_without_a_facet_are_counted(results: Path, cells: pd.DataFrame):
    assert set(cells["status"]) == {"ok"}
    dataset = pd.read_parquet(results / "crystals" / "formula-0" / "dataset")
    lacks = ~dataset["facets"].map(set(BOTH.split("+")).issubset)
    assert 20 <= lacks.sum() <= 40
    own = cells[(cells["split"] == "formula") & (cells["objective"] == "e_form")]
    counts = own.set_index(["method", "combination"])[["n_incomplete", "n_missing", "n_train"]]
    assert counts.loc[("tolerant", BOTH), "n_incomplete"] == lacks.sum()
    assert counts.loc[("tolerant", BOTH), "n_missing"] == 0
    assert counts.loc[("trees", BOTH), "n_incomplete"] == 0
    assert counts.loc[("trees", BOTH), "n_missing"] == lacks.sum()
    cell = results / "crystals" / "formula-0" / "cells" / "tolerant" / BOTH / "e_form"
    assert pd.read_parquet(cell / "predictions.parquet")["lacks"].value_counts().to_dict() == {
        "eneg": lacks.sum()
    }
    # A facet by itself cannot be missing.
    assert counts.loc[("tolerant", "eneg"), ["n_incomplete", "n_missing"]].tolist() == [0, lacks.sum()]
    assert not own[own["method"] != "tolerant"].query("method != 'few'")["n_incomplete"].any()


def test_methods_are_compared_on_common_rows(results: Path, cells: pd.DataFrame):
    scores = pd.read_parquet(results / "evaluation" / "scores.parquet")
    mase = scores[(scores["metric"] == "mase") & (scores["objective"] != "all")]
    assert np.isfinite(mase["value"]).all()
    assert (mase.groupby(["split", "repeat", "objective"])["n_test"].nunique() == 1).all()
    tested = cells[(cells["method"] == "tolerant") & (cells["combination"] == BOTH)]
    merged = tested.merge(mase, on=["split", "repeat", "objective", "method", "combination"])
    assert (merged["n_test_y"] < merged["n_test_x"]).any()


def test_intervals_are_calibrated_on_rows_like_those_compared(results: Path):
    intervals = pd.read_parquet(results / "evaluation" / "intervals.parquet")
    own = intervals[(intervals["split"] == "formula") & (intervals["objective"] == "e_form")]
    calibrated = own.set_index(["method", "combination"])["n_calibration"]
    assert calibrated["tolerant", BOTH] == calibrated["trees", BOTH]


def test_cells_share_one_foundation_of_their_objectives(results: Path):
    digests = {
        (split, method): {card["foundation"] for card in cards_of(results, split, method).values()}
        for split in ("formula-0", "highest-0")
        for method in ("tolerant", "few")
    }
    assert all(len(found) == 1 for found in digests.values())
    assert digests["formula-0", "tolerant"] != digests["formula-0", "few"]
    # Only this objective has cells on that split, so that no method learns from another one.
    assert digests["highest-0", "tolerant"] == digests["highest-0", "few"]


def test_a_bundle_predicts_materials_that_lack_a_facet_and_says_which_it_used(results: Path, monkeypatch):
    monkeypatch.setattr(plugins, "_of_run", {})
    folder = results / "crystals" / "formula-0" / "bundles" / "tolerant" / BOTH / "e_form"
    files = [results.parents[1] / name for name in PLUGINS]
    use_plugins(files)
    bundle = Bundle.open(folder, plugins=files)
    found = bundle.predict(str(results.parents[1] / "embedded" / "entries.json.bz2"))
    assert set(found.predictions["facets"]) == {"packing", BOTH}
    assert np.isfinite(found.predictions["prediction"]).all()
    assert np.isfinite(found.predictions["distance"]).mean() > 0.9
    stored = pd.read_parquet(
        results / "crystals" / "formula-0" / "cells" / "tolerant" / BOTH / "e_form" / "predictions.parquet"
    ).set_index("mat_id")["y_pred"]
    again = found.predictions.set_index("mat_id")["prediction"].reindex(stored.index)
    np.testing.assert_allclose(again, stored)


def test_the_report_counts_rows_that_lack_a_facet(results: Path):
    page = ReportPage.of(results / "report" / "report.html").text
    assert "used without a facet" in page
    assert "hidden on purpose" not in page


@pytest.fixture(scope="module")
def hidden(run: Incomplete) -> Path:
    """Return the results of a run in which half of the facets are hidden."""
    changes = {
        "run_name": "hidden",
        "objectives": ["e_form"],
        "splits": {"formula": {}},
        "combinations": [BOTH],
        "methods": {name: RUN["methods"][name] for name in ("tolerant", "trees", "mean")},
        "training": {"leaks": "allow", "missing": {"share": 0.5, "parts": ["train", "test"]}},
    }
    (run.folder / "hidden.yaml").write_text(yaml.safe_dump({**RUN, **changes}))
    run.run("--configfile", "hidden.yaml")
    return run.folder / "results" / "hidden"


def test_hidden_facets_are_hidden_from_all_methods_alike(results: Path, hidden: Path):
    whole = pd.read_parquet(results / "crystals" / "formula-0" / "dataset").set_index("mat_id")
    cells = hidden / "crystals" / "formula-0" / "cells"
    predicted = {
        method: pd.read_parquet(cells / method / BOTH / "e_form" / "predictions.parquet").set_index("mat_id")
        for method in ("tolerant", "trees")
    }
    # Only some of the materials that had both facets have them still; validation rows have all that they had.
    had_both = whole["facets"].map(set(BOTH.split("+")).issubset)
    complete = predicted["trees"]["part"]
    assert set(complete.index) < set(whole.index[had_both])
    assert set(complete.index[complete == "valid"]) == set(whole.index[had_both & (whole["part"] == "valid")])
    assert set(complete.index) < set(predicted["tolerant"].index)


def test_the_report_says_that_facets_were_hidden_on_purpose(hidden: Path):
    page = ReportPage.of(hidden / "report" / "report.html").text
    assert "of each material with a probability of 0.5, in the parts train, test" in page


def test_the_dataset_does_not_show_hidden_facets(results: Path, hidden: Path):
    shown, whole = (
        pd.read_parquet(each / "crystals" / "formula-0" / "dataset").set_index("mat_id")
        for each in (hidden, results)
    )
    for facet in BOTH.split("+"):
        is_hidden = whole[facet].notna() & shown[facet].isna()
        assert 0.2 < is_hidden.sum() / whole[facet].notna().sum() < 0.6
        assert not is_hidden[whole["part"] == "valid"].any()
        assert (shown["facets"].map(lambda names, facet=facet: facet in names) == shown[facet].notna()).all()


def test_an_added_objective_refits_the_foundation_that_learns_from_it(run: Incomplete):
    assert run.jobs() == {}
    objectives = [*RUN["objectives"], "gap"]
    (run.folder / "more.yaml").write_text(yaml.safe_dump({**RUN, "objectives": objectives}))
    jobs = run.jobs("--configfile", "more.yaml")
    # Not that of the split by an objective, and not that of the method with its own objectives.
    assert jobs["pretrain_engine"] == 1


def test_changed_values_of_an_objective_refit_the_foundation(run: Incomplete):
    table = run.folder / "results" / "missing" / "crystals" / "objectives" / "direct_gap.parquet"
    kept = table.read_bytes()
    values = pd.read_parquet(table)
    try:
        values.assign(direct_gap=values["direct_gap"] + 1).to_parquet(table)
        assert run.jobs()["pretrain_engine"] == 1
    finally:
        table.write_bytes(kept)
