"""The configuration: closed schema, defaults, errors that show the fix."""

import pytest
import yaml
from project import PROJECT

from polyfacet.config.completion import complete_config, load_schema, values_of
from polyfacet.config.reference import PAGE, with_reference
from polyfacet.runtime.errors import UserError
from polyfacet.training.engines.automm.hyperparameters import AutoMMSettings
from polyfacet.training.engines.classical import ClassicalSettings
from polyfacet.training.engines.dummy import DummySettings
from polyfacet.training.engines.ensemble import EnsembleSettings
from polyfacet.training.engines.mcvn.settings import MCVNSettings

CONFIGS = sorted(path for path in (PROJECT / "config").glob("*.yaml") if path.name != "schema.yaml")


@pytest.mark.parametrize("path", CONFIGS, ids=str)
def test_every_shipped_configuration_is_valid(path):
    complete_config(yaml.safe_load(path.read_text()) or {})


def test_defaults_fill_what_is_left_out_and_leave_the_input_alone():
    given = {"images": {"size": 64}}
    config = complete_config(given)
    assert config["images"]["size"] == 64
    assert config["images"]["bonds"] is True
    assert given == {"images": {"size": 64}}


def test_texts_of_the_command_line_are_read_as_what_they_are_declared():
    config = complete_config(
        {
            "images": {"size": "64", "bonds": "false", "browser": "null"},
            "splits": {"random": {"train_fraction": "0.8"}},
            "filters": {"space_groups": ["225"], "elements_required": ["N"], "sites_max": "null"},
            "methods": {
                "a": {"engine": "automm", "settings": {"hyperparameters": {"optim.weight_decay": "0.1"}}}
            },
        }
    )
    assert config["images"] | {"size": 64, "bonds": False, "browser": None} == config["images"]
    assert config["splits"]["random"]["train_fraction"] == 0.8
    assert config["filters"]["space_groups"] == [225]
    assert config["filters"]["elements_required"] == ["N"]
    assert config["filters"]["sites_max"] is None
    assert config["methods"]["a"]["settings"]["hyperparameters"] == {"optim.weight_decay": 0.1}


def test_keys_with_names_of_the_users_own_have_defaults_and_types_too():
    table = {"file": "a.csv", "composition": {"convert": "false"}, "objectives": {"hv": {"column": "HV"}}}
    completed = complete_config({"tables": {"steel": table}})["tables"]["steel"]
    assert completed["composition"] | {"convert": False, "unit": "atoms"} == completed["composition"]
    assert completed["objectives"]["hv"] == {"column": "HV", "label": None, "unit": "", "classes": []}


def settings_of(engine, **settings):
    config = complete_config({"methods": {"a": {"engine": engine, "settings": settings}}})
    return config["methods"]["a"]["settings"]


@pytest.mark.parametrize(
    "defaults", [AutoMMSettings(), ClassicalSettings(), DummySettings(), EnsembleSettings(), MCVNSettings()]
)
def test_defaults_are_those_of_the_engines(defaults):
    engine = type(defaults).__name__.removesuffix("Settings").lower()
    assert settings_of(engine) == defaults.model_dump()


def test_members_of_an_ensemble_are_read_from_the_command_line():
    member = {"engine": "classical", "settings": {"model": "svm", "hyperparameters": {"C": "10"}}}
    [read] = settings_of("ensemble", members=[member])["members"]
    assert read["settings"]["hyperparameters"] == {"C": 10}


def test_the_embedded_entries_are_the_source_unless_there_are_tables():
    table = {"file": "a.csv", "composition": {"formula": "F"}, "objectives": {"hv": {"column": "HV"}}}
    assert complete_config({})["sources"] == ["embedded/entries.json.bz2"]
    assert complete_config({"tables": {"steel": table}})["sources"] == []
    assert complete_config({"tables": {"steel": table}, "sources": ["x"]})["sources"] == ["x"]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"n_material": 200}, r"unknown key n_material. Did you mean\s+{n_materials: 200}"),
        ({"images": {"sise": 300}}, r"unknown key images.sise. Did you mean\s+images: {size: 300}"),
        ({"encoders": {"image": {"size": 64}}}, r"encoders.image.size. Did you mean(.|\n)*{size_px: 64}"),
        ({"zebra": 1}, "unknown key zebra. Known here: run_name"),
        ({"n_materials": 3}, "n_materials = 3: 3 is less than the minimum of 10"),
        ({"images": {"size": "big"}}, r"images.size = 'big'(.|\n)*images: {size: 128}"),
        ({"splits": {"a": {"method": "group"}}}, r"splits.a.method = 'group'(.|\n)*'formula'"),
        ({"composition": {"backend": "xenonpy"}}, r"'stable'(.|\n)*composition: {statistics: xenonpy}"),
        ({"run_name": "../x"}, "run_name"),
        ({"objectives": ["gap", "gap"]}, "objectives"),
        (
            {"methods": {"a": {"engine": "mcvn", "settings": {"varient": "fixed"}}}},
            r"methods.a.settings.varient. Did you mean(.|\n)*variant: fixed",
        ),
        (
            {"methods": {"a": {"engine": "ensemble", "settings": {"members": [{"engine": "dummy"}]}}}},
            "methods.a.settings.members",
        ),
        ({"images": None}, "images"),
        ({"tables": {"t": {"fil": "a.csv"}}}, r"unknown key tables.t.fil. Did you mean(.|\n)*file: a.csv"),
        (
            {"tables": {"t": {"file": "a.csv", "objectives": {"x": {"column": "x"}}}}},
            "'composition' is a required",
        ),
        ({"tables": {"Two words": {}}}, "Two words"),
        ({"methods": {"svm": {"engin": "classical"}}}, r"methods.svm.engin. Did you mean"),
        ({"report": {"published": [{"sourc": "steel"}]}}, r"sourc. Did you mean(.|\n)*source: steel"),
    ],
)
def test_a_wrong_configuration_names_the_key_and_shows_the_fix(config, message):
    with pytest.raises(UserError, match=message):
        complete_config(config)


def documented(schema, path=""):
    for name, sub in schema.get("properties", {}).items():
        yield f"{path}{name}", sub, name in schema.get("required", ())
        yield from documented(sub, f"{path}{name}.")
        yield from documented(values_of(sub), f"{path}{name}.<name>.")


# What an engine or a library checks itself.
OPEN_KEYS = (".hyperparameters", ".settings")


@pytest.mark.parametrize(("name", "key", "required"), list(documented(load_schema())))
def test_every_key_has_description_and_default(name, key, required):
    assert key.get("description"), name
    assert ("default" in key) is not required, name
    if key.get("type") == "object" and not name.endswith(".combinations"):
        assert (key["additionalProperties"] is True) is name.endswith(OPEN_KEYS)
        values_are_open = values_of(key).get("additionalProperties") is True
        assert values_are_open is name.endswith(".settings_of_sources")


def test_the_reference_page_is_that_of_the_schema():
    text = PAGE.read_text(encoding="utf-8")
    assert with_reference(text) == text, "run: python -m polyfacet.config.reference"
