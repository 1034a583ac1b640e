"""The configuration: declared once, closed to unknown keys, with defaults and errors that show the fix."""

import json

import pytest
import yaml
from project import PROJECT
from pydantic import BaseModel
from pymatgen.core import Element

from polyfacet.config.completion import complete_config
from polyfacet.config.declarations import field_at
from polyfacet.config.run import Configuration
from polyfacet.config.section import Section
from polyfacet.elements.symbols import SYMBOLS
from polyfacet.runtime.errors import UserError
from polyfacet.use.configuration_files import generated_files

CONFIGS = sorted((PROJECT / "config").glob("*.yaml"))
TABLE = {"file": "a.csv", "composition": {"formula": "F"}, "objectives": {"hv": {"column": "HV"}}}


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_shipped_configuration_is_valid(path):
    complete_config(yaml.safe_load(path.read_text()) or {})


def test_defaults_fill_what_is_left_out_and_leave_the_input_alone():
    given = {"images": {"size": 64}}
    config = complete_config(given)
    assert config["images"]["size"] == 64
    assert config["images"]["bonds"] is True
    assert given == {"images": {"size": 64}}


@pytest.mark.parametrize("given", [{}, {"tables": {"steel": TABLE}}, {"images": {"views": ["z", "a"]}}])
def test_a_complete_configuration_is_unchanged(given):
    completed = complete_config(given)
    assert json.loads(json.dumps(completed)) == completed
    assert complete_config(completed) == completed


def test_the_default_of_every_key_makes_the_default_run():
    written = yaml.safe_load((PROJECT / "config" / "defaults.yaml").read_text())
    assert complete_config(written) == complete_config({}) == written


def test_crystals_are_embedded_ones_unless_there_are_tables():
    assert complete_config({})["sources"] == ["embedded/entries.json.bz2"]
    assert complete_config({"tables": {"steel": TABLE}})["sources"] == []
    assert complete_config({"tables": {"steel": TABLE}, "sources": ["x"]})["sources"] == ["x"]


def test_splits_and_methods_use_what_they_are_named_after():
    config = complete_config(
        {"splits": {"formula": {}, "old": {"method": "random"}}, "methods": {"mcvn": {}}}
    )
    assert [split["method"] for split in config["splits"].values()] == ["formula", "random"]
    assert config["methods"]["mcvn"]["engine"] == "mcvn"


def test_keys_below_names_that_users_choose_have_defaults():
    table = {**TABLE, "composition": {"columns": ["Fe", "C"], "convert": "false"}}
    completed = complete_config({"tables": {"steel": table}})["tables"]["steel"]
    expected = {"columns": {"Fe": "Fe", "C": "C"}, "convert": False, "unit": "atoms"}
    assert completed["composition"] | expected == completed["composition"]
    defaults = {"label": None, "unit": "", "classes": [], "follows_from": [], "zero": None}
    assert completed["objectives"]["hv"] == {"column": "HV", **defaults}


def test_missing_keys_of_a_published_score_are_absent():
    entry = {"source": "a", "method": "b", "metric": "r2", "value": 0.9, "published_in": "c", "class": "d"}
    assert complete_config({"report": {"published": [entry]}})["report"]["published"] == [entry]


def test_element_symbols_are_complete():
    assert {Element.from_Z(z).symbol for z in range(1, 119)} == SYMBOLS


def test_the_embedded_entries_are_the_source_unless_there_are_tables():
    table = {"file": "a.csv", "composition": {"formula": "F"}, "objectives": {"hv": {"column": "HV"}}}
    assert complete_config({})["sources"] == ["embedded/entries.json.bz2"]
    assert complete_config({"tables": {"steel": table}})["sources"] == []
    assert complete_config({"tables": {"steel": table}, "sources": ["x"]})["sources"] == ["x"]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"n_material": 200}, r"unknown key n_material. Did you mean\s+n_materials: 200"),
        ({"images": {"sise": 300}}, r"unknown key images.sise. Did you mean\s+images: {size: 300}"),
        ({"encoders": {"image": {"size": 64}}}, r"encoders.image.size. Did you mean(.|\n)*{size_px: 64}"),
        ({"zebra": 1}, "unknown key zebra. Known keys: run_name"),
        ({1: 2}, "unknown key 1. Known keys"),
        ({"targets": ["gap"]}, "unknown key targets. It is now called `objectives`"),
        ({"engine": {"name": "mcvn"}}, r"unknown key engine(.|\n)*methods:\s+automm: {engine: automm"),
        ({"n_materials": 3}, r"n_materials = 3: should be greater than or equal to 10; or should be 'all'"),
        ({"images": {"size": "big"}}, r"images.size = 'big'(.|\n)*images: {size: 128}"),
        ({"images": {"colors": "vesta"}}, r"images.colors = 'vesta': should be 'VESTA' or 'Jmol'"),
        ({"splits": {"a": {"repeats": 0}}}, r"splits.a.repeats = 0(.|\n)*splits:\s+a: {repeats: 1}"),
        ({"splits": {}}, "splits: should have at least 1 item"),
        (
            {"composition": {"backend": "xenonpy"}},
            r"`statistics: stable`(.|\n)*composition: {statistics: xenonpy}",
        ),
        ({"run_name": "../x"}, r"run_name = '../x'(.|\n)*run_name: default"),
        (
            {"objectives": ["gap", "gap", "e_form"]},
            r"repeated items(.|\n)*objectives: \[gap, e_form\]",
        ),
        ({"combinations": ["text", "a-b"]}, r"combinations.1 = 'a-b'(.|\n)*combinations: paper"),
        ({"filters": {"elements_required": ["Xx"]}}, r"elements_required.0 = 'Xx': is not an element"),
        ({"images": None}, r"images = None: has no value(.|\n)*images: {}"),
        ({"images": 3}, "images = 3: should be keys with values"),
        ({"sources": []}, r"neither `sources` nor `tables`(.|\n)*sources: \[embedded"),
        ({"tables": {"t": {**TABLE, "fil": "a.csv"}}}, r"key tables.t.fil. Did you mean(.|\n)*file: a.csv"),
        (
            {"tables": {"t": {**TABLE, "composition": {}}}},
            "tables.t.composition: name either a `formula` column or `columns`",
        ),
        (
            {"tables": {"t": {**TABLE, "composition": {"columns": [["Fe"], "C"]}}}},
            r"columns = \[\['Fe'\], 'C'\]: should be keys with values",
        ),
        (
            {"tables": {"t": {"file": "a.csv", "objectives": {"x": {"column": "x"}}}}},
            r"tables.t.composition is missing(.|\n)*columns: \[Fe, Cr\]",
        ),
        (
            {"tables": {"t": {**TABLE, "composition": {"columns": ["C", True], "unit": "atoms"}}}},
            r"tables.t.composition.columns = .*: YAML reads yes",
        ),
        ({"methods": {"m": {"settings": {"a": "\udfff"}}}}, "should consist of texts"),
        ({"methods": {"m": {"settings": {"a": {"\udfff": 1}}}}}, "should consist of texts"),
        ({"tables": {"Two words": TABLE}}, r"the name 'Two words' should match(.|\n)*twowords"),
        ({"tables": {"report": TABLE}}, "the table name 'report' is reserved"),
        (
            {"tables": {"t": {**TABLE, "objectives": {"all": {"column": "a"}}}}},
            "the name 'all' is reserved for",
        ),
        (
            {"methods": {"svm": {"engin": "classical"}}},
            r"methods.svm.engin. Did you mean(.|\n)*engine: cl",
        ),
        ({"methods": {"svm": {"facets": "tabular"}}}, r"methods.svm.facets. It is now called `combinations`"),
        ({"methods": {"svm": {"combinations": {"a": ["A"]}}}}, r"methods.svm.combinations.a.0 = 'A'"),
        ({"report": {"published": [{"sorce": "steel"}]}}, r"0.sorce. Did you mean(.|\n)*- {source: steel}"),
        ({"report": {"published": [{}]}}, r"published.0.value is missing(.|\n)*- {value: 0.95}"),
    ],
)
def test_a_wrong_configuration_names_the_key_and_shows_the_fix(config, message):
    with pytest.raises(UserError, match=message):
        complete_config(config)


def test_all_wrong_keys_are_reported_together():
    with pytest.raises(UserError) as refused:
        complete_config({"zebra": 1, "seed": "x", "images": {"size": 1, "views": []}})
    assert str(refused.value).count("\n  - ") == 4


def test_a_value_that_contains_itself_is_rejected():
    bomb: list = ["x"] * 10
    for _ in range(12):
        bomb = [bomb] * 10
    with pytest.raises(UserError, match="too many values"):
        complete_config({"sources": bomb})
    circle: dict = {}
    circle["images"] = circle
    with pytest.raises(UserError, match="nested too deeply"):
        complete_config(circle)


def sections(model=Configuration, path=""):
    """Yield all sections of the configuration, including nested ones."""
    yield pytest.param(model, id=path or "configuration")
    schema = model.model_json_schema()
    assert schema["additionalProperties"] is False
    for name, field in model.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            yield from sections(inner, f"{path}.{name}".lstrip("."))


@pytest.mark.parametrize("section", [*sections(), *(pytest.param(each) for each in Section.__subclasses__())])
def test_every_section_is_closed_and_every_key_has_a_meaning_and_a_default_or_an_example(section):
    assert section.model_config["extra"] == "forbid"
    assert section.model_config["frozen"] is True
    if not section.__module__.startswith("polyfacet.config."):
        return  # settings of an engine or a facet, which are not keys of the configuration
    for name, field in section.model_fields.items():
        assert field.description, name
        assert field.examples if field.is_required() else True, name


def test_every_key_has_a_meaning():
    field, depth = field_at(Configuration, ["tables", "steel", "objectives", "hv", "classes", 3])
    assert (field.description, depth) == ("Class names; empty for regression.", 5)
    assert field_at(Configuration, ["zebra"]) == (None, 0)


@pytest.mark.parametrize("name", list(generated_files()))
def test_generated_files_are_current(name):
    written = (PROJECT / name).read_text(encoding="utf-8")
    assert written == generated_files()[name], "run: python -m polyfacet.use.configuration_files"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("crystals/", ["crystals/"]),
        (["a.cif", {"path": "b.csv"}], ["a.cif", {"path": "b.csv"}]),
        ({"path": "b.csv", "id": 5, "format": "table"}, [{"path": "b.csv", "id": "5", "format": "table"}]),
        ("[{path: b.csv, structure: cif}]", [{"path": "b.csv", "structure": "cif"}]),
    ],
)
def test_sources_are_paths_or_mappings(given, expected):
    unset = {"format": None, "properties": None, "id": None, "structure": None}
    filled = [each if isinstance(each, str) else {**unset, **each} for each in expected]
    assert complete_config({"sources": given})["sources"] == filled


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"format": "files"}, r"sources\.0\.path is missing(.|\n)*path: crystals/"),
        (
            {"path": "x", "propertys": "y"},
            r"unknown key sources\.0\.propertys(.|\n)*properties: y",
        ),
        ({"path": "x", "format": "cif"}, "should be 'alexandria', 'files', 'table', 'matbench' or 'extxyz'"),
        (
            {"path": "x", "format": "files", "structure": "c"},
            r"sources\.0: `structure` is only used by table, matbench, but the format is files",
        ),
        (
            {"path": "x", "format": "alexandria", "id": "c"},
            "`id` is only used by files, table, matbench",
        ),
    ],
)
def test_a_wrong_source_is_explained(source, message):
    with pytest.raises(UserError, match=message):
        complete_config({"sources": [source]})
