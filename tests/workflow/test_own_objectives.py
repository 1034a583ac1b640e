"""A CSV of structures with its own objectives, from the file to the report."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from handmade import structures
from project import PROJECT
from report_page import ReportPage
from workflow_copy import Workflow, copy_workflow

SCALES = (0.96, 1.0, 1.05)
RUN = {
    "run_name": "own",
    "sources": [{"path": "crystals.csv", "structure": "cif", "id": "name"}],
    "plugins": ["facet.py"],
    "objectives": [
        {"name": "bulk_modulus", "column": "K (GPa)", "label": "Bulk modulus", "unit": "GPa"},
        {"name": "phase", "classes": ["soft", "hard"]},
        {"name": "gap", "column": "gap"},
        {"name": "density", "follows_from": ["composition", "lattice", "sites"], "unit": "g/cm^3"},
    ],
    "methods": {
        "trees": {"engine": "classical", "combinations": ["compimage", "packing"]},
        "mean": {"engine": "dummy"},
    },
    "splits": {"formula": {"repeats": 2}},
    # The made-up bulk modulus falls with the volume, which is one of the numbers of the facet.
    "training": {"leaks": "allow"},
    "report": {"reference": "mean"},
}


class Own(Workflow):
    """A workflow that runs this configuration."""

    def arguments(self, *arguments: str) -> list[str]:
        """Return the arguments of the command line of Snakemake."""
        return ["--cores", "2", "--configfile", "own.yaml", *arguments]


def write_crystals(path: Path) -> pd.DataFrame:
    """Write 45 crystals; some lack a value, and one has a value that is not a number."""
    rows = []
    for name, structure in structures().items():
        for scale in SCALES:
            cell = structure.copy()
            cell.scale_lattice(structure.volume * scale**3)
            stiffness = 4000 / cell.volume
            rows.append(
                {
                    "name": f"{name}-{len(rows) % len(SCALES)}",
                    "K (GPa)": f"{stiffness:.2f}",
                    "phase": "hard" if stiffness > 80 else "soft",
                    "gap": f"{len(rows) % 5}",
                    "density": f"{float(cell.density):.6f}",
                    "cif": cell.to(fmt="cif"),
                }
            )
    crystals = pd.DataFrame(rows)
    crystals.loc[[3, 17], "K (GPa)"] = ["", "n/a"]
    crystals.loc[20, "K (GPa)"] = "98,5"
    crystals.loc[5, "phase"] = None
    crystals.to_csv(path, index=False)
    return crystals.set_index("name")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Own, str, pd.DataFrame]:
    """Return a finished run, what it said, and the crystals."""
    workflow = Own(copy_workflow(tmp_path_factory.mktemp("own")).folder)
    (workflow.folder / "facet.py").write_text((PROJECT / "tests" / "extension" / "facet.py").read_text())
    crystals = write_crystals(workflow.folder / "crystals.csv")
    (workflow.folder / "own.yaml").write_text(yaml.safe_dump(RUN))
    return workflow, workflow.run(), crystals


@pytest.fixture(scope="module")
def results(run) -> Path:
    return run[0].folder / "results" / "own"


def test_the_values_are_those_of_the_file(run, results):
    crystals = run[2]
    table = pd.read_parquet(results / "crystals" / "objectives" / "bulk_modulus.parquet").set_index("mat_id")
    expected = pd.to_numeric(crystals["K (GPa)"], errors="coerce")
    pd.testing.assert_series_equal(
        table["bulk_modulus"], expected.sort_index(), check_names=False, check_index_type=False
    )
    phases = pd.read_parquet(results / "crystals" / "objectives" / "phase.parquet").set_index("mat_id")
    assert phases["phase"].isna().sum() == 1
    assert phases["phase"].dropna().to_dict() == crystals["phase"].dropna().to_dict()


def test_a_value_that_is_not_a_number_is_a_reject_with_its_row(run, results):
    rejected = pd.read_parquet(results / "crystals" / "objectives" / "bulk_modulus.rejected.parquet")
    (reject,) = rejected.to_dict("records")
    assert Path(reject["source_file"]).name == "crystals.csv"
    # Line 1 of the CSV is its header, and a structure has several lines.
    lines = (run[0].folder / "crystals.csv").read_text().splitlines()
    assert "98,5" in lines[reject["source_position"] - 1]
    assert reject["mat_id"] == run[2].index[20]
    assert "K (GPa) is '98,5', not a number: a decimal comma?" in reject["reason"]
    assert "not a number: a decimal comma?" in ReportPage.of(results / "report" / "report.html").text


def test_statistics_are_on_screen_before_anything_is_trained(run, results):
    said = run[1]
    assert "objectives of crystals, 45 materials:" in said
    assert said.index("objectives of crystals") < said.index("rule train_method")
    page = ReportPage.of(results / "report" / "report.html")
    numbers, classes = (page.rows(f"objectives-crystals-{number}") for number in range(2))
    assert any(row.startswith("Bulk modulus | GPa | 42 | 3 |") for row in numbers)
    assert classes[1].startswith("phase | 44 | 1 | soft ")


def test_cells_leave_out_materials_without_a_value_and_no_others(results):
    cells = pd.read_csv(results / "report" / "tables" / "cells.csv")
    assert set(cells["status"]) == {"ok"}
    missing = cells.groupby("objective")["n_missing"].unique()
    assert {name: n.tolist() for name, n in missing.items()} == {
        "bulk_modulus": [3],
        "phase": [1],
        "gap": [0],
        "density": [0],
    }
    scores = pd.read_csv(results / "report" / "tables" / "scores.csv")
    mase = scores.query("objective == 'bulk_modulus' and method == 'trees' and metric == 'mase'")["value"]
    # Two combinations on two splits.
    assert len(mase) == 2 * 2
    assert np.isfinite(mase).all()
    assert set(scores.query("objective == 'phase'")["metric"]) >= {"macro_f1", "accuracy"}


def test_cells_whose_facets_show_what_the_density_follows_from_are_marked(results):
    cells = pd.read_csv(results / "report" / "tables" / "cells.csv")
    marked = cells.loc[cells["contains_answer"], ["combination", "objective"]]
    assert set(marked.itertuples(index=False, name=None)) == {("packing", "density")}
    assert "†" in (results / "report" / "tables.md").read_text()


def test_cards_do_not_depend_on_labels(run, results):
    card = next((results / "crystals").rglob("bulk_modulus/card.json"))
    assert "Bulk modulus" not in json.dumps(json.loads(card.read_text()))
    renamed = [{**RUN["objectives"][0], "label": "Stiffness"}, *RUN["objectives"][1:]]
    (run[0].folder / "own.yaml").write_text(yaml.safe_dump({**RUN, "objectives": renamed}))
    jobs = run[0].jobs()
    (run[0].folder / "own.yaml").write_text(yaml.safe_dump(RUN))
    assert {"describe_objectives", "assemble_dataset", "collect_results"} <= jobs.keys()
    assert not {"read_objective", "train_method", "sample"} & jobs.keys()


@pytest.mark.parametrize(
    ("objective", "message"),
    [
        ("K_GPa", "the sources have no such column. Did you mean K (GPa)?"),
        ("nothing", "Columns of the sources: name, K (GPa), phase, gap, density"),
    ],
)
def test_a_column_that_the_file_lacks_stops_the_run_with_those_that_it_has(run, objective, message):
    changed = {**RUN, "objectives": [{"name": "own", "column": objective}]}
    (run[0].folder / "wrong.yaml").write_text(yaml.safe_dump(changed))
    output = run[0].run("--configfile", "wrong.yaml", check=False)
    assert message in output
    assert "Traceback" not in output


def test_a_predefined_objective_that_the_file_does_not_state_stops_the_run(run):
    (run[0].folder / "wrong.yaml").write_text(yaml.safe_dump({**RUN, "objectives": ["gap", "e_form"]}))
    output = run[0].run("--configfile", "wrong.yaml", check=False)
    assert "no material of crystals has a value of gap, e_form." in output
    assert "objectives: [{name: gap, column: <column>}]" in output
