"""Objectives: which are predefined and which are columns, what they follow from, and their statistics."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from grid_cells import cell_of
from project import PROJECT
from stated_samples import write_stated

import describe_objectives
from polyfacet.config.completion import complete_config
from polyfacet.facets.declaration import Facet
from polyfacet.facets.registry import COMPIMAGE, COMPOSITION, FACETS, GRAPH, IMAGE, PROCESS, TEXT, facet_named
from polyfacet.materials.column_objectives import column_objectives, derived_names, objectives_of_crystals
from polyfacet.materials.crystal_objectives import PREDEFINED, VOL_ATOM, CrystalObjective
from polyfacet.materials.objective_statistics import STATISTICS, statistics_of
from polyfacet.materials.objectives import ASPECTS, Objective
from polyfacet.reporting.objective_tables import in_markdown, on_screen
from polyfacet.runtime import plugins
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.parquet import read_table, write_table
from polyfacet.sources.tables.description import objectives_of, table_source
from polyfacet.training.engines.registry import ENGINES
from polyfacet.training.methods import checked_methods

BULK = {"name": "bulk_modulus", "column": "K_VRH (GPa)", "label": "Bulk modulus", "unit": "GPa"}
PHASE = {"name": "phase", "classes": ["soft", "hard"], "follows_from": ["composition"]}


def configured(*objectives: Any) -> list[Any]:
    return list(complete_config({"objectives": list(objectives)})["objectives"])


def test_names_are_predefined_or_columns_and_mappings_are_columns():
    found = objectives_of_crystals(configured("gap", "band_gap_dir", BULK, PHASE))
    assert found == {
        "gap": Objective("gap", "Band gap", "eV", zero=("metal", "insulator")),
        "band_gap_dir": Objective("band_gap_dir", "band_gap_dir"),
        "bulk_modulus": Objective("bulk_modulus", "Bulk modulus", "GPa"),
        "phase": Objective("phase", "phase", "", ("soft", "hard"), frozenset({"composition"})),
    }
    columns = column_objectives(configured("gap", "band_gap_dir", BULK))
    assert {name: each.source_column for name, each in columns.items()} == {
        "band_gap_dir": "band_gap_dir",
        "bulk_modulus": "K_VRH (GPa)",
    }


def test_only_predefined_objectives_are_in_the_sample():
    assert derived_names(configured(*(each.name for each in PREDEFINED))) == []
    own_gap = {"name": "gap", "column": "gap"}
    assert derived_names(configured("e_form", "spg", own_gap)) == ["spg", "gap"]


def test_a_name_that_a_plug_in_declares_is_no_column(monkeypatch, tmp_path):
    monkeypatch.setattr(plugins, "_of_run", {})
    (tmp_path / "mine.py").write_text(
        "from polyfacet.materials.crystal_objectives import CrystalObjective\n"
        "X = CrystalObjective('stiffness', 'Stiffness', 'GPa', 'x', lambda of: 0.0)\n"
    )
    plugins.use_plugins([str(tmp_path / "mine.py")])
    assert column_objectives(configured("stiffness", "hardness")).keys() == {"hardness"}
    assert derived_names(configured("stiffness", "hardness")) == ["stiffness", "hardness"]


def test_objectives_with_the_same_label_are_told_apart_by_their_names():
    found = objectives_of_crystals(configured("gap", {"name": "hse", "label": "Band gap"}))
    assert [each.label for each in found.values()] == ["Band gap (gap)", "Band gap (hse)"]


@pytest.mark.parametrize(
    ("objectives", "message"),
    [
        (["volume"], "the name 'volume' is reserved"),
        ([{"name": "formula", "column": "f"}], "- {name: stated_formula, column: f}"),
        (["gap", {"name": "gap", "column": "g"}], "has repeated items"),
        ([{"column": "K"}], "objectives.0.name is missing"),
        ([{**BULK, "unit_of": "GPa"}], "unknown key objectives.0.unit_of. Did you mean"),
        ([{**BULK, "follows_from": ["cell"]}], "should be 'composition', 'lattice' or 'sites'"),
        (["K (GPa)"], "{name: bulk_modulus, column: K_VRH (GPa), unit: GPa}"),
        ([{**BULK, "classes": ["a", "a"]}], "has repeated items"),
        ([{**BULK, "classes": ["all"]}], "class 'all' is a reserved name"),
        ([{**BULK, "classes": ["metal"]}], "'metal' is the only class. Name at least two"),
        ([], "should have at least 1 item"),
    ],
    ids=str,
)
def test_a_wrong_objective_stops_the_run_with_what_to_write(objectives, message):
    with pytest.raises(UserError) as refused:
        complete_config({"objectives": objectives})
    assert message in str(refused.value)


def test_one_objective_may_be_written_without_a_list():
    assert [each["name"] for each in configured(PHASE)] == ["phase"]
    assert complete_config({"objectives": "{name: phase}"})["objectives"][0]["name"] == "phase"


def test_classes_of_crystals_need_an_engine_that_predicts_classes(monkeypatch):
    numbers_only = {**ENGINES.all(), "dummy": replace(ENGINES.get("dummy"), classes=False)}
    monkeypatch.setattr(ENGINES, "all", lambda: numbers_only)
    methods = {"mean": {"engine": "dummy"}}
    checked_methods(complete_config({"objectives": ["gap", BULK], "methods": methods}))
    with pytest.raises(UserError, match="only predicts numbers, but crystals has the classes of phase"):
        checked_methods(complete_config({"objectives": [BULK, PHASE], "methods": methods}))


def test_an_engine_of_numbers_may_leave_classes_to_other_methods(monkeypatch):
    numbers_only = {**ENGINES.all(), "dummy": replace(ENGINES.get("dummy"), classes=False)}
    monkeypatch.setattr(ENGINES, "all", lambda: numbers_only)
    numbers = BULK["name"]
    methods = {"mean": {"engine": "dummy", "objectives": [numbers]}, "ridge": {"engine": "classical"}}
    config = {"objectives": [BULK, PHASE], "methods": methods, "combinations": ["graph"]}
    found = checked_methods(complete_config(config))["crystals"]
    assert {name: method["objectives"] for name, method in found.items()} == {
        "mean": [numbers],
        "ridge": [numbers, "phase"],
    }
    methods["mean"]["objectives"] = [numbers, "phase"]
    advice = rf"classes of phase.*methods: {{mean: {{objectives: \[{numbers}\]}}}}"
    with pytest.raises(UserError, match=advice):
        checked_methods(complete_config(config))


DENSITY = Objective("density", follows_from=frozenset({"composition", "lattice", "sites"}))
MASS = Objective("mass", follows_from=frozenset({"composition"}))
CELL = Facet("cell", "cell", "vector", needs="structure", shows={"lattice", "sites"}, make=len)


@pytest.mark.parametrize(
    ("facets", "objective", "marked"),
    [
        ((IMAGE,), DENSITY, True),
        ((GRAPH,), VOL_ATOM.objective, True),
        ((CELL,), VOL_ATOM.objective, True),
        ((CELL,), DENSITY, False),
        ((TEXT, CELL), DENSITY, True),
        ((COMPIMAGE, CELL), DENSITY, True),
        ((TEXT,), DENSITY, False),
        ((TEXT,), MASS, True),
        ((CELL,), MASS, False),
        ((COMPOSITION,), MASS, True),
        ((PROCESS,), MASS, False),
        ((), MASS, False),
        ((IMAGE,), Objective("gap"), False),
    ],
)
def test_a_cell_is_marked_if_its_facets_together_show_all_that_its_objective_follows_from(
    facets, objective, marked
):
    assert cell_of(facets, objective).contains_answer is marked


def test_what_a_column_follows_from_marks_cells_of_crystals_and_tables():
    (phase,) = objectives_of_crystals(configured(PHASE)).values()
    assert cell_of((TEXT,), phase).contains_answer
    table = {
        "file": "a.csv",
        "composition": {"formula": "F"},
        "objectives": {"mass": {"column": "M", "follows_from": "composition"}, "hv": {"column": "HV"}},
    }
    mass, hardness = objectives_of(table_source("t", table))
    assert cell_of((COMPOSITION,), mass).contains_answer
    assert not cell_of((COMPOSITION,), hardness).contains_answer


def test_rows_of_a_table_have_nothing_but_a_composition_to_follow_from():
    objectives = {"y": {"column": "y", "follows_from": ["lattice"]}}
    table = {"file": "a.csv", "composition": {"formula": "F"}, "objectives": objectives}
    with pytest.raises(UserError, match="should be 'composition'"):
        table_source("t", table)


@pytest.mark.parametrize("named", ["lattice", {"cell"}, ["lattice", "cells"], True, 3, [["lattice"]]])
def test_declarations_name_aspects_that_there_are(named):
    with pytest.raises(
        ValueError, match="follows_from of the objective 'x' is .* composition, lattice, sites"
    ):
        CrystalObjective("x", "x", "", "x", lambda of: 0.0, follows_from=named)
    with pytest.raises(ValueError, match="shows of the facet 'x' is .* composition, lattice, sites"):
        Facet("x", "x", "vector", needs="structure", make=len, shows=named)


def test_declarations_may_name_aspects_in_any_collection():
    declared = CrystalObjective("x", "x", "", "x", lambda of: 0.0, follows_from=["sites", "lattice"])
    assert declared.objective.follows_from == {"lattice", "sites"}
    assert declared.objective.learned["follows_from"] == ["lattice", "sites"]
    assert Objective.from_fields(declared.objective.learned) == Objective(
        "x", follows_from=declared.follows_from
    )
    assert CELL.attributes()["shows"] == ["lattice", "sites"]


NUMBERS = Objective("k", "Bulk modulus", "GPa")
CLASSES = Objective("phase", "Phase", classes=("soft", "hard", "none"))


def test_statistics_of_numbers():
    found = statistics_of(pd.Series([0.0, 0.0, 2.0, 6.0, np.nan, None]), NUMBERS)
    assert found == {
        "objective": "k",
        "label": "Bulk modulus",
        "unit": "GPa",
        "n": 4,
        "missing": 2,
        "mean": 2.0,
        "mad": 2.0,
        "zeros": 0.5,
        "lowest": 0.0,
        "highest": 6.0,
        "classes": [],
    }


def test_statistics_of_classes_count_those_without_a_material():
    found = statistics_of(pd.Series(["soft", "hard", "soft", None], dtype=object), CLASSES)
    assert (found["n"], found["missing"], found["mean"]) == (3, 1, None)
    assert found["classes"] == [("soft", 2), ("hard", 1), ("none", 0)]


def test_the_error_of_predicting_the_mean_is_the_scale_of_mase():
    values = pd.Series(np.random.default_rng(0).normal(size=50))
    found = statistics_of(values, NUMBERS)
    assert found["mad"] == pytest.approx(np.abs(values - found["mean"]).mean())


@pytest.fixture
def statistics(tmp_path: Path) -> pd.DataFrame:
    """Return statistics that were written and read again."""
    rows = [
        statistics_of(pd.Series([0.0, 1234.5678, np.nan]), NUMBERS),
        statistics_of(pd.Series([1e-7, 2e-7, 3e-7]), Objective("small_one", "Small")),
        statistics_of(pd.Series(["soft", None, "soft"], dtype=object), CLASSES),
    ]
    write_table(tmp_path / "objectives.parquet", rows, STATISTICS)
    return read_table(tmp_path / "objectives.parquet", STATISTICS)


def test_statistics_are_a_readable_table_on_screen(statistics):
    assert on_screen("crystals", statistics).splitlines() == [
        "objectives of crystals, 3 materials:",
        "               unit  n missing   mean        MAD zeros lowest highest",
        "  Bulk modulus  GPa  2       1  617.3      617.3   50%      0    1235",
        "  Small              3       0  2e-07  6.667e-08    0%  1e-07   3e-07",
        "         n missing                 classes",
        "  Phase  2       1  soft 2, hard 0, none 0",
    ]


def test_statistics_are_a_table_in_the_report(statistics):
    assert in_markdown(statistics).splitlines() == [
        "| objective | unit | n | missing | mean | MAD | zeros | lowest | highest |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        "| Bulk modulus | GPa | 2 | 1 | 617.3 | 617.3 | 50% | 0 | 1235 |",
        "| Small |  | 3 | 0 | 2e-07 | 6.667e-08 | 0% | 1e-07 | 3e-07 |",
        "",
        "| objective | n | missing | classes |",
        "| --- | ---: | ---: | ---: |",
        "| Phase | 2 | 1 | soft 2, hard 0, none 0 |",
    ]


def test_the_objectives_of_crystals_are_described_from_their_own_tables_first(tmp_path, capsys):
    sample = write_stated(tmp_path / "sample.parquet", [{}] * 3, e_form=[-1.0, -2.0, -3.0], gap=[9.0] * 3)
    own = pd.DataFrame({"mat_id": ["m00", "m01", "m02"], "gap": [1.0, None, 0.0]})
    own.to_parquet(tmp_path / "gap.parquet")
    objectives = [{"column": "e_form", "label": "Formation energy"}, {"column": "gap", "label": "Gap"}]
    describe_objectives.main(
        sample,
        tmp_path / "objectives.parquet",
        source="crystals",
        objectives=objectives,
        derived=[tmp_path / "gap.parquet"],
    )
    found = read_table(tmp_path / "objectives.parquet", STATISTICS).set_index("objective")
    assert found["mean"].to_dict() == {"e_form": -2.0, "gap": 0.5}
    assert found["missing"].to_dict() == {"e_form": 0, "gap": 1}
    assert "objectives of crystals, 3 materials:" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("source", "advice"),
    [("crystals", "Columns of the sources: gap_pbe\\. Other objectives: gap,"), ("steels", "Take these out")],
)
def test_an_objective_without_any_value_stops_the_run_before_training(tmp_path, source, advice):
    sample = write_stated(tmp_path / "sample.parquet", [{"gap_pbe": "1.0"}] * 2)
    none = pd.DataFrame({"mat_id": ["m00", "m01"], "gap": pd.Series([None, None], dtype=float)})
    none.to_parquet(tmp_path / "gap.parquet")
    with pytest.raises(UserError, match=f"no material of {source} has a value of gap. (.|\n)*{advice}"):
        describe_objectives.main(
            sample,
            tmp_path / "objectives.parquet",
            source=source,
            objectives=[{"column": "gap"}, {"column": "e_form"}],
            derived=[tmp_path / "gap.parquet"],
        )
    assert not (tmp_path / "objectives.parquet").exists()


def facets_that_show(aspect: str) -> set[str]:
    """Return the facets, and those of their forms that show something else, which show an aspect."""
    facets = [each for each in FACETS.all().values() if each.needs != "columns"]
    forms = [each.variant(form) for each in facets for form in each.variants]
    own = [form for form in forms if form.shows != facet_named(form.base).shows]
    return {each.name for each in [*facets, *own] if aspect in (each.shows or ())}


def test_the_documentation_says_which_facets_show_what():
    text = (PROJECT / "docs" / "objectives.md").read_text()
    stated = {aspect: re.search(rf"^\| `{aspect}` \|.*\| (.*) \|$", text, re.M)[1] for aspect in ASPECTS}
    listed = {aspect: set(re.findall("`(.+?)`", names)) for aspect, names in stated.items()}
    assert stated["composition"] == "all facets except `process`"
    everything = FACETS.all().values()
    assert {each.name for each in everything if "composition" not in (each.shows or ())} == {
        "process",
        "microstructure",
    }
    assert listed["lattice"] == facets_that_show("lattice")
    assert stated["sites"].startswith("the same, and ")
    assert listed["lattice"] | listed["sites"] == facets_that_show("sites")
