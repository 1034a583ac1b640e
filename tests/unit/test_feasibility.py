"""Configurations that are bound to fail are rejected before any job starts; others are accepted."""

import pytest
import yaml
from project import PROJECT

from polyfacet.config.completion import complete_config
from polyfacet.config.run import CRYSTALS
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.optional_packages import OptionalPackage
from polyfacet.splits.methods import SPLIT_METHODS, SplitMethod
from polyfacet.splits.parts import divide
from polyfacet.training.columns_of_splits import columns_from_file
from polyfacet.training.feasibility import check_feasible, fewest_materials
from polyfacet.training.methods import checked_methods

CHECKPOINT = "model.hf_text.checkpoint_name"
FEW = {"n_materials": 10}


def check(config):
    completed = complete_config(config)
    check_feasible(completed, checked_methods(completed))


def test_a_plug_in_split_must_read_columns_of_its_sources(monkeypatch):
    def by_size(materials, settings):
        return {}

    declared = {**SPLIT_METHODS.all(), "size": SplitMethod("size", "by size", by_size, reads=("sites",))}
    monkeypatch.setattr(SPLIT_METHODS, "all", lambda: declared)
    with pytest.raises(UserError, match="splits.size uses the column 'sites'.*mean n_sites"):
        check({"splits": {"size": {}}})


@pytest.mark.parametrize("path", sorted((PROJECT / "config").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_shipped_configurations_are_feasible(path, monkeypatch):
    monkeypatch.setattr(OptionalPackage, "fault", lambda _: "")
    check(yaml.safe_load(path.read_text()) or {})


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"n_materials": 10}, "n_materials: 14"),
        ({"n_materials": 13}, "n_materials: 14"),
        ({"n_materials": 22, "splits": {"random": {"train_fraction": 0.5}}}, "n_materials: 23"),
        ({"n_materials": 10, "combinations": ["text"], "splits": {"random": {"train_fraction": 0.99}}}, "51"),
        (
            {"splits": {"prototypes": {}}},
            "splits.prototypes.method names the unknown 'prototypes'; available: random",
        ),
        ({"splits": {"a": {"method": "formulas"}}}, "Did you mean formula?"),
        ({"splits": {"a": {"method": "column"}}}, "splits: {a: {method: column, column: space_group}}"),
        ({"splits": {"highest": {}}}, "splits: {highest: {method: highest, objective: gap}}"),
        (
            {"splits": {"highest": {"objective": "hardness"}}},
            "crystals has no such objective that is a number; available: gap, e_form",
        ),
        (
            {
                "objectives": ["gap", {"name": "phase", "column": "phase", "classes": ["a", "b"]}],
                "methods": {"mean": {"engine": "dummy"}},
                "splits": {"highest": {"objective": "phase"}},
            },
            "'phase': crystals has no such objective that is a number; available: gap.",
        ),
        (
            {
                "sources": ["x.json"],
                "tables": {
                    "steels": {
                        "file": "steels.csv",
                        "composition": {"formula": "F"},
                        "objectives": {"hv": {"column": "HV"}},
                    }
                },
                "methods": {"mean": {"engine": "dummy"}},
                "splits": {"highest": {"objective": "hv"}},
            },
            "Name the sources it applies to:\n      splits: {highest: {sources: [steels]}}",
        ),
        (
            {"splits": {"formula": {"objective": "gap"}}},
            "splits.formula.objective = 'gap': the method `formula` does not use it",
        ),
        (
            {"splits": {"a": {"method": "column", "column": "spacegroup"}}},
            "splits.a uses the column 'spacegroup', but crystals have no such column; available: "
            "mat_id, formula, prototype_id, space_group, n_sites, volume, gap, e_form, e_hull, e_total, "
            "mag_vol, vol_atom, dos_ef, structure, data, source_file, source_position. Did you mean "
            "space_group?",
        ),
        (
            {
                "tables": {
                    "steels": {
                        "file": "steels.csv",
                        "composition": {"formula": "F"},
                        "process": ["T"],
                        "objectives": {"hv": {"column": "HV"}},
                    }
                },
                "methods": {"mean": {"engine": "dummy"}},
                "splits": {"a": {"method": "column", "column": "process"}},
            },
            "'process', but the table steels has no such column; available: mat_id, formula, line, hv",
        ),
        (
            {
                "sources": ["x.json"],
                "tables": {
                    "steels": {
                        "file": "steels.csv",
                        "composition": {"formula": "F"},
                        "objectives": {"hv": {"column": "HV"}},
                    }
                },
                "methods": {"mean": {"engine": "dummy"}},
                "splits": {"a": {"method": "column", "column": "space_group"}},
            },
            "splits: {a: {sources: [crystals]}}",
        ),
        ({"splits": {"a": {"method": "folds"}}}, "splits: {a: {method: folds, file: folds.csv}}"),
        ({"splits": {"random": {"column": "spg"}}}, "the method `random` does not use it"),
        ({"splits": {"random": {"random_state": 3}}}, "splits.random.random_state = 3"),
        (
            {
                "tables": {
                    "t": {
                        "file": "a.csv",
                        "composition": {"formula": "F"},
                        "objectives": {"text_score": {"column": "y"}},
                    }
                },
                "methods": {"mean": {"engine": "dummy"}},
            },
            "the objective 'text_score' has the name of a column of the facet 'text'",
        ),
        (
            {"objectives": ["gap", "e_from"]},
            "objectives names the unknown 'e_from'; available: gap",
        ),
        ({"objectives": ["e_from"]}, "Did you mean e_form? If e_from is a column of the sources, write"),
        ({"objectives": ["e_from"]}, "objectives: [{name: e_from, column: e_from}]"),
        (
            {"objectives": [{"name": "gap", "label": "Gap"}]},
            "gap is predefined. Write the name alone to predict it, or the column of the sources",
        ),
        (
            {"objectives": ["image_quality"]},
            "the objective 'image_quality' has the name of a column of the facet 'image'",
        ),
        ({"graphs": {"pretrain": 9}}, "graphs.pretrain = 9"),
        (
            {"objectives": ["e_form", "bulk"], "graphs": {"training": {"objectives": ["bulks"]}}},
            "graphs.training.objectives names the unknown 'bulks'; available: gap, e_form, e_hull, e_total, "
            "mag_vol, vol_atom, dos_ef, bulk. Did you mean bulk?",
        ),
        (
            {
                "objectives": ["e_form", {"name": "phase", "classes": ["a", "b"]}],
                "graphs": {"training": {"objectives": ["gap", "phase"]}},
            },
            "graphs.training.objectives names phase, which has classes",
        ),
        ({"filters": {"sites_min": 5, "sites_max": 4}}, "sites_min = 5 exceeds filters.sites_max = 4"),
        ({"filters": {"elements_required": ["O"], "elements_excluded": ["O", "N"]}}, "(O) contradicts"),
        ({"filters": {"elements_required": ["O"], "elements_allowed": ["N"]}}, "(O) contradicts"),
        ({"encoders": {"text": {"hidden_size": 97}}}, "hidden_size: 100"),
        ({"encoders": {"text": {"n_heads": 5}}}, "hidden_size: 100"),
        ({"encoders": {"image": {"architecture": "resnet11"}}}, "Did you mean resnet1"),
        ({"encoders": {"compimage": {"architecture": "resnet11"}}}, "encoders.compimage.architecture"),
        ({"composition": {"text": "robocrystallographer"}}, "encoders: {source: hub}"),
        (
            {"composition": {"text": "cif"}, "combinations": ["text+image"]},
            "composition, composition_fraction",
        ),
        ({"combinations": ["text:cif+image"]}, "the facet text:cif needs an encoder that knows its words"),
        ({"combinations": ["text:cif+image"]}, "or look at text:composition, text:composition_fraction"),
    ],
)
def test_infeasible_configurations_are_rejected_with_what_to_write(config, message):
    with pytest.raises(UserError) as refused:
        check(config)
    assert message in str(refused.value)


def test_all_contradictions_are_reported_together():
    with pytest.raises(UserError) as refused:
        check({"n_materials": 10, "encoders": {"text": {"n_heads": 7}, "image": {"architecture": "x"}}})
    assert str(refused.value).count("  - ") == 3


@pytest.mark.parametrize(
    "config",
    [
        {"objectives": ["gap", "bandgap", "e_above_hull", "energy_total", "band_gap_dir"]},
        {"objectives": [{"name": "gap", "column": "gap"}, {"name": "e_from", "column": "e_from"}]},
        {"n_materials": 14},
        {"n_materials": 10, "combinations": ["text"], "methods": {"automm": {}}},
        {"n_materials": 10, "graphs": {"embedding": "calibrated"}},
        {"composition": {"text": "cell_composition"}},
        {"composition": {"text": "cif"}, "encoders": {"source": "hub"}},
        {"composition": {"text": "cif"}, "combinations": ["image"]},
        {"composition": {"text": "cif"}, "combinations": ["graph"], "methods": {"mcvn": {}}},
        {"composition": {"text": "cif"}, "encoders": {"checkpoints": {"text": "/models/matbert"}}},
        {"encoders": {"source": "hub", "image": {"architecture": "resnet11"}}},
        {
            "composition": {"text": "cif"},
            "methods": {
                "automm": {
                    "settings": {"hyperparameters": {"model.hf_text.checkpoint_name": "/models/matbert"}}
                }
            },
        },
    ],
)
def test_feasible_configurations_are_accepted(config):
    check(config)


STEELS = {
    "file": "steels.csv",
    "composition": {"formula": "F"},
    "process": ["T"],
    "objectives": {"hv": {"column": "HV"}},
}


def with_splits(splits, **changes):
    return {
        "tables": {"steels": STEELS},
        "methods": {"mean": {"engine": "dummy"}},
        "splits": splits,
        **changes,
    }


def by(column, *sources):
    return {"method": "column", "column": column, "sources": list(sources)}


@pytest.mark.parametrize(
    ("splits", "changes", "from_file"),
    [
        ({"lab": by("Lab"), "t": by("T"), "again": by("Lab")}, {}, ["Lab", "T"]),
        ({"hv": by("hv"), "formula": by("formula"), "random": {}}, {}, []),
        ({"lab": by("Lab", "steels"), "random": {"sources": ["crystals"]}}, {"sources": ["x.json"]}, ["Lab"]),
        ({"spg": by("space_group", "steels", "crystals")}, {"sources": ["x.json"]}, ["space_group"]),
        ({"spg": by("space_group", "crystals"), "random": {}}, {"sources": ["x.json"]}, []),
    ],
    ids=["of the file", "of the sample", "one source", "both", "crystals"],
)
def test_splits_of_a_table_group_by_columns_of_its_file(splits, changes, from_file):
    config = with_splits(splits, **changes)
    check(config)
    assert columns_from_file(complete_config(config), "steels") == from_file


@pytest.mark.parametrize("name", ["part", "all", "composition_statistics", "image", "text_source"])
def test_a_column_of_a_file_with_a_reserved_name_must_be_renamed(name):
    with pytest.raises(UserError, match=f"{name}', but the table steels.*reserved: .* rename it there"):
        check(with_splits({"a": by(name)}))


def test_a_split_by_a_column_of_a_file_must_not_apply_to_crystals():
    with pytest.raises(UserError, match=r"'Lab', but crystals(.|\n)*splits: {lab: {sources: \[steels\]}}"):
        check(with_splits({"lab": by("Lab")}, sources=["x.json"]))


@pytest.mark.parametrize("fraction", [0.5, 0.85, 0.95])
def test_the_minimum_number_of_materials_can_be_split(fraction):
    config = complete_config({"splits": {"a": {"method": "random", "train_fraction": fraction}}})
    fewest = fewest_materials(config, checked_methods(config)[CRYSTALS].values())
    assert n_trained(fewest, fraction) >= 10
    assert n_trained(fewest - 1, fraction) < 10


def n_trained(n, fraction):
    """Return the number of training materials; 0 if the split is rejected."""
    try:
        rest, _ = divide({f"m{i}": f"m{i}" for i in range(n)}, fraction, "split")
        train, _ = divide({mat_id: mat_id for mat_id in rest}, 0.85, "validation")
    except UserError:
        return 0
    return len(train)
