"""The methods of a configuration: complete for each source, and refused with what to write."""

import pytest

from polyfacet.config.completion import complete_config
from polyfacet.runtime.errors import UserError
from polyfacet.training.methods import checked_methods

TABLE = {"file": "a.csv", "composition": {"formula": "F"}, "objectives": {"hv": {"column": "HV"}}}
STEEL = {**TABLE, "process": ["T"]}
PUBLISHED = {"source": "steel", "method": "a", "metric": "r2", "value": 0.9, "published_in": "Yu"}


def methods_of(**config):
    return checked_methods(complete_config(config))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"report": {"reference": "b"}}, "report.reference is 'b', which is none of the methods: a"),
        ({"methods": {"a": {"engine": "dummy", "sources": ["b"]}}}, "methods.a.sources names the source 'b'"),
        (
            {"methods": {"a": {"engine": "automm", "settings": {"presets": "x"}}}},
            r"methods.a.settings.presets. Did you mean",
        ),
        (
            {"methods": {"a": {"engine": "mcvn", "settings_of_sources": {"steel": {"epochs": 3}}}}},
            r"settings_of_sources.steel:(.|\n)*methods.a.settings.epochs",
        ),
        ({"report": {"published": [{**PUBLISHED, "source": "b"}]}}, "published names the source 'b'"),
        ({"report": {"published": [{**PUBLISHED, "method": "b"}]}}, "published is 'b', which is none"),
        (
            {"methods": {"a": {"engine": "classical", "combinations": ["graph"]}}},
            r"steel has no graph; it has composition, process, compimage.(.|\n)*combinations: {steel:",
        ),
        ({"methods": {"a": {"engine": "classical", "combinations": ["text"]}}}, "cannot look at text"),
        (
            {"methods": {"a": {"engine": "dummy", "combinations": ["graph"]}}},
            "looks at no facet. Take it out",
        ),
        ({"methods": {"a": {"engine": "mcvn", "combinations": ["process+composition"]}}}, "must be written"),
        ({"methods": {"a": {"engine": "mcvn", "combinations": {"b": ["process"]}}}}, "names the source 'b'"),
    ],
)
def test_methods_that_cannot_be_compared_say_what_to_change(changes, message):
    config = {"tables": {"steel": STEEL}, "methods": {"a": {"engine": "dummy"}}, **changes}
    with pytest.raises(UserError, match=message):
        methods_of(**config)


def test_methods_have_the_defaults_of_their_engine_and_settings_of_their_own_on_a_source():
    method = {
        "engine": "mcvn",
        "settings": {"max_epochs": 3},
        "settings_of_sources": {"steel": {"patience": 9}},
    }
    only = {"engine": "dummy", "sources": ["glass"]}
    methods = methods_of(tables={"steel": STEEL, "glass": TABLE}, methods={"a": method, "b": only})
    assert {source: list(names) for source, names in methods.items()} == {"steel": ["a"], "glass": ["a", "b"]}
    settings = {source: methods[source]["a"]["settings"] for source in methods}
    assert settings["glass"] | {"max_epochs": 3, "variant": "published", "patience": 100} == settings["glass"]
    assert settings["steel"] == {**settings["glass"], "patience": 9}


def test_methods_that_name_no_combinations_look_at_the_usual_ones():
    methods = methods_of(tables={"steel": STEEL, "glass": TABLE}, methods={"a": {"engine": "classical"}})
    assert {source: methods[source]["a"]["combinations"] for source in methods} == {
        "steel": ["composition+process"],
        "glass": ["composition"],
    }
    usual = methods_of(methods={"a": {"engine": "automm"}})
    assert len(usual["crystals"]["a"]["combinations"]) == 7


def test_a_baseline_looks_at_no_facet():
    assert methods_of(methods={"a": {"engine": "dummy"}})["crystals"]["a"]["combinations"] == []
