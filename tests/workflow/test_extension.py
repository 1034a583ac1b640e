"""A facet, an objective, an engine and a split method from plug-ins, from source to report."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml
from project import PROJECT
from report_page import ReportPage
from workflow_copy import Workflow, copy_workflow

from polyfacet.training.engines.creation import load

PLUGINS = PROJECT / "tests" / "extension"
# Rules that a run of the plug-ins does not need.
NOT_NEEDED = {"render_images", "build_graphs", "fit_network", "embed_graphs", "describe_compositions"}


class Extended(Workflow):
    """A workflow that runs the plug-ins."""

    def arguments(self, *arguments: str) -> list[str]:
        """Return the arguments of the command line of Snakemake."""
        return ["--cores", "2", "--configfile", "plugins/run.yaml", *arguments]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Extended:
    """Return a finished run."""
    workflow = Extended(copy_workflow(tmp_path_factory.mktemp("extension")).folder)
    plugins = workflow.folder / "plugins"
    shutil.copytree(PLUGINS, plugins, ignore=shutil.ignore_patterns("__pycache__"))
    (plugins / "radii.txt").write_text("a file that a plug-in reads\n")
    with (plugins / "facet.py").open("a") as stream:
        stream.write('\nASSETS = ["radii.txt"]\n')
    plan = workflow.jobs()
    assert plan["make_facet"] == 1
    assert plan["pretrain_engine"] == 2
    assert not NOT_NEEDED & plan.keys()
    workflow.run()
    return workflow


@pytest.fixture(scope="module")
def results(run: Extended) -> Path:
    return run.folder / "results" / "extension"


def test_no_file_of_the_project_names_the_plug_ins():
    names = ("packing", "mag_atom", "closest", "largest")
    for path in [*(PROJECT / "workflow").rglob("*.py"), *(PROJECT / "rules").rglob("*.smk")]:
        text = path.read_text(encoding="utf-8")
        assert not [name for name in names if f'"{name}"' in text], path


def test_every_cell_has_scores_and_is_in_the_report(results: Path):
    scores = pd.read_parquet(results / "evaluation" / "scores.parquet")
    mase = scores[(scores["metric"] == "mase") & (scores["objective"] != "all")]
    assert set(mase["objective"]) == {"e_form", "mag_atom", "direct_gap"}
    assert set(mase["method"]) == {"closest", "trees", "mean"}
    assert len(mase) == 3 * 2 * (2 + 1 + 1)
    assert np.isfinite(mase["value"]).all()
    report = ReportPage.of(results / "report" / "report.html").text
    for said in ("Moment", "Direct gap", "compimage + packing", "by size of the cell"):
        assert said in report


def test_the_split_tests_on_the_largest_cells(results: Path):
    sample = pd.read_parquet(results / "crystals" / "sample" / "sample.parquet")
    for repeat in (0, 1):
        split = pd.read_parquet(results / "crystals" / f"largest-{repeat}" / "split.parquet")
        sizes = sample.merge(split, on="mat_id").groupby("part")["n_sites"]
        assert sizes.min()["test"] >= sizes.max()[["train", "valid"]].max()


def test_the_objective_follows_from_the_entries(results: Path):
    sample = pd.read_parquet(results / "crystals" / "sample" / "sample.parquet")
    atoms = sample["volume"] / sample["vol_atom"]
    expected = sample["mag_vol"] * sample["volume"] / atoms
    table = pd.read_parquet(results / "crystals" / "objectives" / "mag_atom.parquet")
    assert list(table["mat_id"]) == list(sample["mat_id"])
    np.testing.assert_allclose(table["mag_atom"], expected)
    dataset = pd.read_parquet(results / "crystals" / "largest-0" / "dataset").set_index("mat_id")
    assert dict(dataset["mag_atom"]) == dict(zip(table["mat_id"], table["mag_atom"], strict=True))


def test_a_column_of_the_entries_is_read_described_and_learned(results: Path):
    crystals = results / "crystals"
    sample = pd.read_parquet(crystals / "sample" / "sample.parquet")
    stated = [json.loads(data)["band_gap_dir"] for data in sample["data"]]
    table = pd.read_parquet(crystals / "objectives" / "direct_gap.parquet")
    assert dict(zip(table["mat_id"], table["direct_gap"], strict=True)) == dict(
        zip(sample["mat_id"], stated, strict=True)
    )
    statistics = pd.read_parquet(crystals / "sample" / "objectives.parquet").set_index("objective")
    assert list(statistics.index) == ["e_form", "mag_atom", "direct_gap"]
    assert statistics["n"].tolist() == [len(sample)] * 3
    assert statistics.loc["direct_gap", "mean"] == pytest.approx(np.mean(stated))
    page = ReportPage.of(results / "report" / "report.html")
    assert any(row.startswith("Direct gap | eV | 40 | 0 |") for row in page.rows("objectives-crystals-0"))
    shard = pq.read_schema(crystals / "largest-0" / "dataset" / "shard-0.parquet")
    assert shard.field("direct_gap").metadata == {b"meaning": b"Direct gap", b"unit": b"eV"}


def test_the_facet_is_in_the_dataset_and_shows_the_structure(results: Path):
    dataset = pd.read_parquet(results / "crystals" / "largest-0" / "dataset")
    with_facet = dataset[dataset["packing"].notna()]
    assert len(with_facet) >= 0.95 * len(dataset)
    numbers = np.stack(with_facet["packing"])
    np.testing.assert_allclose(numbers[:, 1], with_facet["vol_atom"], rtol=1e-3)


def foundations(method: Path) -> set[str | None]:
    return {json.loads(path.read_text())["foundation"] for path in method.glob("*/*/card.json")}


def test_cells_refer_to_their_foundation_by_digest(results: Path):
    for repeat in (0, 1):
        cells = results / "crystals" / f"largest-{repeat}" / "cells"
        (digest,) = foundations(cells / "closest")
        assert len(str(digest)) == 64
        assert foundations(cells / "trees") == {None}


def test_a_saved_model_of_a_plug_in_engine_is_loaded(results: Path, monkeypatch):
    from polyfacet.runtime import plugins

    monkeypatch.setattr(plugins, "_of_run", {})
    plugins.use_plugins([str(PLUGINS / "engine.py"), str(PLUGINS / "facet.py")])
    cell = results / "crystals" / "largest-0" / "cells" / "closest" / "packing" / "e_form"
    dataset = pd.read_parquet(results / "crystals" / "largest-0" / "dataset")
    # Validation rows are predicted by another fit.
    predictions = pd.read_parquet(cell / "predictions.parquet").query("part != 'valid'")
    rows = dataset.set_index("mat_id").loc[predictions["mat_id"]].reset_index()
    np.testing.assert_allclose(load(cell / "model").predict(rows), predictions["y_pred"])


@contextmanager
def edited(path: Path) -> Iterator[None]:
    """Change the code of a file temporarily."""
    text = path.read_text()
    path.write_text(f"{text}\n_CHANGED = 1\n")
    try:
        yield
    finally:
        path.write_text(text)


def test_a_second_call_runs_nothing(run: Extended):
    assert run.jobs() == {}


REPORT = {
    "describe_objectives",
    "collect_results",
    "compare_methods",
    "attribute_to_facets",
    "audit_leakage",
    "assess_uncertainty",
    "describe_errors",
    "tabulate_results",
    "write_report",
}
DATASET = {"assemble_dataset", "gather_dataset"}
OF_FACET = {"make_facet": 1, "pretrain_engine": 2, "train_method": 4} | dict.fromkeys(DATASET, 2)
ANOTHER_OBJECTIVE = """
from polyfacet.materials.crystal_objectives import CrystalObjective

DIRECT_GAP = CrystalObjective(
    "gap_dir", "Direct gap", "eV", "direct band gap", lambda of: of.data["band_gap_dir"], lowest=0.0
)
"""


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("engine.py", {"pretrain_engine": 2, "train_method": 2}),
        ("facet.py", OF_FACET),
        ("radii.txt", OF_FACET),
        ("objective.py", {"derive_objective": 1, "train_method": 6} | dict.fromkeys(DATASET, 2)),
    ],
)
def test_an_edited_plug_in_reruns_its_own_and_later_jobs(run: Extended, name, expected):
    with edited(run.folder / "plugins" / name):
        jobs = run.jobs()
    assert {rule: n for rule, n in jobs.items() if rule not in REPORT} == expected


def test_an_edited_split_method_reruns_the_split_and_later_jobs(run: Extended):
    with edited(run.folder / "plugins" / "split.py"):
        jobs = run.jobs()
    assert jobs["split_materials"] == 2
    assert not {"sample", "derive_objective", "make_facet"} & jobs.keys()


def test_an_added_objective_is_derived_and_learned_and_changes_nothing_else(run: Extended):
    (run.folder / "plugins" / "gap_dir.py").write_text(ANOTHER_OBJECTIVE)
    plan = yaml.safe_load((PLUGINS / "run.yaml").read_text())
    more = {
        "plugins": [*plan["plugins"], "plugins/gap_dir.py"],
        "objectives": [*plan["objectives"], "gap_dir"],
    }
    (run.folder / "more.yaml").write_text(yaml.safe_dump({**plan, **more}))
    jobs = run.jobs("--configfile", "more.yaml")
    assert jobs["describe_objectives"] == 1
    assert {rule: n for rule, n in jobs.items() if rule not in REPORT} == {
        "derive_objective": 1,
        "train_method": 6,
        **dict.fromkeys(DATASET, 2),
    }


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import no_such_module\n", "line 1, ModuleNotFoundError"),
        ("x = (\n", "SyntaxError"),
        (
            "from polyfacet.facets.declaration import Facet\n"
            'TEXT = Facet("text", "other", "vector", needs="formula", make=len)\n',
            "declares the facet 'text', but that name is already in use",
        ),
    ],
)
def test_an_unusable_plug_in_stops_the_run_before_any_job(run: Extended, code, message):
    (run.folder / "wrong.py").write_text(code)
    output = run.run("--dry-run", "--config", "plugins=[wrong.py]", check=False)
    assert message in output
    assert "wrong.py" in output
    assert "Traceback" not in output
