"""The methods of a configuration: checked, and completed for each source."""

import pytest
import yaml
from project import PROJECT

from polyfacet.config.completion import complete_config
from polyfacet.runtime.errors import UserError
from polyfacet.training.complete_methods import (
    every_settings,
    methods_of_repeat,
    objectives_of_split,
    settings_of_objective,
)
from polyfacet.training.methods import checked_methods, places_without_cells

TABLE = {"file": "a.csv", "composition": {"formula": "F"}, "objectives": {"hv": {"column": "HV"}}}
STEEL = {**TABLE, "process": ["T"]}
SCORE = {"source": "steel", "method": "a", "metric": "r2", "value": 0.9, "published_in": "Yu"}


def methods_of(methods, **config):
    return checked_methods(complete_config({"methods": methods, **config}))


def test_methods_have_the_defaults_of_their_engine_and_settings_of_their_source():
    own = {"steel": {"patience": 9}}
    method = {"engine": "mcvn", "settings": {"max_epochs": 3}, "settings_of_sources": own}
    only = {"engine": "dummy", "settings": {"statistic": "mean"}, "sources": ["glass"]}
    methods = methods_of({"a": method, "b": only}, tables={"steel": STEEL, "glass": TABLE})
    assert {source: list(names) for source, names in methods.items()} == {
        "steel": ["a"],
        "glass": ["a", "b"],
    }
    settings = {source: methods[source]["a"]["settings"] for source in methods}
    assert settings["glass"] | {"max_epochs": 3, "variant": "published", "patience": 100} == settings["glass"]
    assert settings["steel"] == {**settings["glass"], "patience": 9}


def test_an_objective_has_the_settings_of_its_source_and_its_own():
    method = {
        "engine": "mcvn",
        "settings": {"max_epochs": 3, "patience": 5},
        "settings_of_sources": {"steel": {"patience": 9}},
        "settings_of_objectives": {"hv": {"max_epochs": 60}},
    }
    other = {**TABLE, "objectives": {"hv": {"column": "HV"}, "uts": {"column": "UTS"}}}
    methods = methods_of(
        {"a": method}, tables={"steel": {**STEEL, **other, "process": ["T"]}, "glass": TABLE}
    )
    found = {
        (source, objective): [
            settings_of_objective(own["a"], objective)[key] for key in ("max_epochs", "patience")
        ]
        for source, own in methods.items()
        for objective in own["a"]["objectives"]
    }
    assert found == {("steel", "hv"): [60, 9], ("steel", "uts"): [3, 9], ("glass", "hv"): [60, 5]}
    assert [each["max_epochs"] for each in every_settings(methods["steel"]["a"])] == [3, 60]


def test_a_method_is_trained_on_its_objectives():
    some = {"engine": "mcvn", "combinations": ["graph"], "objectives": ["vol_atom", "gap"]}
    methods = methods_of({"a": some, "b": {"engine": "dummy"}})["crystals"]
    assert methods["a"]["objectives"] == ["gap", "vol_atom"]
    assert len(methods["b"]["objectives"]) == 7
    first = methods_of({"a": {**some, "objectives": 2}, "b": {"engine": "dummy"}})["crystals"]["a"]
    assert first["objectives"] == methods["b"]["objectives"][:2] == ["gap", "e_form"]
    for one in ("vol_atom", ["vol_atom"]):
        alone = methods_of({"a": {**some, "objectives": one}, "b": {"engine": "dummy"}})
        assert alone["crystals"]["a"]["objectives"] == ["vol_atom"]
    splits = [objectives_of_split({"objective": each}, methods["a"]) for each in (None, "gap", "e_form")]
    assert splits == [["gap", "vol_atom"], ["gap"], []]


@pytest.mark.parametrize("named", [["gap", "e_form", "dos_ef"], ["dos_ef"]])
def test_the_default_run_trains_slow_networks_on_the_first_objective(named):
    of_default = checked_methods(complete_config({"objectives": named}))["crystals"]
    assert {name: method["objectives"] for name, method in of_default.items()} == {
        name: named[:1] if name == "automm" else named for name in of_default
    }
    assert len(of_default["automm"]["combinations"]) == 7
    config = yaml.safe_load((PROJECT / "config" / "automm_all.yaml").read_text())
    whole = checked_methods(complete_config(config))["crystals"]["automm"]
    assert (len(whole["objectives"]), len(whole["combinations"])) == (7, 7)


def test_a_method_is_not_trained_on_sources_without_its_objectives():
    tables = {"steel": {**STEEL, "objectives": {"uts": {"column": "UTS"}}}, "glass": TABLE}
    methods = methods_of(
        {"a": {"engine": "mcvn", "objectives": ["hv"]}, "b": {"engine": "mcvn"}}, tables=tables
    )
    assert {source: list(named) for source, named in methods.items()} == {"steel": ["b"], "glass": ["a", "b"]}


def test_what_no_method_is_trained_on_is_named():
    tables = {"steel": BOTH, "glass": TABLE, "alloy": {**STEEL, "objectives": {"uts": {"column": "UTS"}}}}
    splits = {
        "random": {},
        "high": {"method": "highest", "objective": "uts", "sources": ["steel"]},
        "low": {"method": "highest", "objective": "hv", "sources": ["steel"]},
    }
    config = complete_config({"methods": {"a": ON_HV}, "tables": tables, "sources": [], "splits": splits})
    assert places_without_cells(config, checked_methods(config)) == [
        "the objective uts of steel",
        "the split high of steel",
        "alloy",
    ]


ON_HV = {"engine": "mcvn", "objectives": ["hv"]}
BOTH = {**STEEL, "objectives": {"hv": {"column": "HV"}, "uts": {"column": "UTS"}}}


@pytest.mark.parametrize(
    ("method", "message"),
    [
        (
            {"engine": "mcvn", "objectives": ["gap"]},
            "a.objectives names an unknown objective 'gap'; available: hv, uts",
        ),
        (
            {"engine": "mcvn", "settings_of_objectives": {"gap": {}}},
            "a.settings_of_objectives names an unknown objective 'gap'; available: hv, uts",
        ),
        (
            {**ON_HV, "settings_of_objectives": {"uts": {}}},
            "a.settings_of_objectives names an unknown objective 'uts'; available: hv",
        ),
        (
            {"engine": "mcvn", "settings_of_objectives": {"hv": {"patience": 0}}},
            r"methods.a.settings_of_objectives.hv.patience = 0(.|\n)*hv: {patience: 100}",
        ),
        (
            {"engine": "automm", "settings_of_objectives": {"hv": {"preset": "high_quality"}}},
            r"settings_of_objectives.hv chooses other encoders(.|\n)*Write another method",
        ),
        (
            {
                "engine": "automm",
                "settings_of_objectives": {
                    "hv": {"hyperparameters": {"model": {"hf_text": {"checkpoint_name": "a/b"}}}}
                },
            },
            r"settings_of_objectives.hv chooses other encoders",
        ),
    ],
)
def test_wrong_objectives_of_a_method_are_rejected(method, message):
    with pytest.raises(UserError, match=message):
        methods_of({"a": method}, tables={"steel": BOTH})


def test_a_published_score_must_be_of_an_objective_of_its_method():
    score = {**SCORE, "objective": "uts"}
    with pytest.raises(UserError, match="0.objective names an unknown objective 'uts'; available: hv"):
        methods_of(
            {"a": ON_HV, "b": {"engine": "mcvn"}}, tables={"steel": BOTH}, report={"published": [score]}
        )


def test_combinations_are_those_of_the_method_of_its_source_or_of_the_run():
    methods = methods_of(
        {
            "usual": {"engine": "automm"},
            "own": {"engine": "automm", "combinations": {"steel": ["compimage"]}},
            "mean": {"engine": "dummy", "settings": {"statistic": "mean"}},
        },
        tables={"steel": STEEL, "glass": TABLE},
        sources=["a.json"],
        combinations=["text", "text+graph"],
    )
    found = {
        source: {name: method["combinations"] for name, method in named.items()}
        for source, named in methods.items()
    }
    assert found == {
        "crystals": {"usual": ["text", "text+graph"], "own": ["text", "text+graph"], "mean": []},
        "steel": {"usual": ["composition+process"], "own": ["compimage"], "mean": []},
        "glass": {"usual": ["composition"], "own": ["composition"], "mean": []},
    }


def test_the_combinations_of_the_paper_and_all_of_them():
    assert len(methods_of({"automm": {}})["crystals"]["automm"]["combinations"]) == 7
    found = methods_of({"automm": {"combinations": "full"}})["crystals"]["automm"]["combinations"]
    assert len(found) == 15
    assert "text+image+graph+compimage" in found


def test_sets_of_combinations_can_be_extended():
    chosen = ["graph", "paper", "descriptors", "graph+descriptors"]
    found = methods_of({"automm": {"combinations": chosen}})["crystals"]["automm"]["combinations"]
    assert len(found) == len(set(found)) == 9
    assert found[0] == "graph"
    assert found[-2:] == ["descriptors", "graph+descriptors"]


def test_a_method_is_trained_on_its_first_repeats():
    methods = methods_of({"automm": {"repeats": 2}, "mean": {"engine": "dummy"}})["crystals"]
    trained = [list(methods_of_repeat(methods, repeat)) for repeat in range(4)]
    assert trained == [["automm", "mean"], ["automm", "mean"], ["mean"], ["mean"]]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            {"splits": {"random": {"sources": ["b"]}}},
            "splits.random.sources names an unknown source 'b'; available: steel, glass",
        ),
        ({"splits": {"random": {"sources": ["steel"]}}}, "no split applies to glass"),
        (
            {"training": {"missing": {"facets": ["grph"]}}},
            "training.missing.facets names an unknown facet 'grph'",
        ),
        ({"report": {"reference": "b"}}, "report.reference names an unknown method 'b'; available: a"),
        ({"methods": {"a": {"engine": "dumy"}}}, r"unknown engine 'dumy'(.|\n)*{a: {engine: dummy}}"),
        ({"methods": {"a": {"engine": "mcvn", "sources": ["b"]}}}, r"a.sources names an unknown source 'b'"),
        (
            {"methods": {"a": {"engine": "mcvn", "settings_of_sources": {"b": {}}}}},
            r"a.settings_of_sources names an unknown source 'b'",
        ),
        (
            {"methods": {"a": {"engine": "mcvn", "combinations": {"b": ["compimage"]}}}},
            r"a.combinations names an unknown source 'b'",
        ),
        (
            {"methods": {"a": {"engine": "automm", "settings": {"presets": "x"}}}},
            r"key methods.a.settings.presets. Did you mean(.|\n)*settings: {preset: x}",
        ),
        (
            {"methods": {"a": {"engine": "mcvn", "settings_of_sources": {"steel": {"patience": 0}}}}},
            r"methods.a.settings_of_sources.steel.patience = 0(.|\n)*steel: {patience: 100}",
        ),
        (
            {
                "methods": {
                    "a": {"engine": "dummy", "settings": {"statistic": "mean"}, "combinations": "full"}
                }
            },
            "uses no facets",
        ),
        (
            {"methods": {"a": {"engine": "mcvn", "combinations": ["text"]}}},
            "combinations of methods.a: engine 'mcvn' cannot use text",
        ),
        (
            {"methods": {"a": {"engine": "mcvn", "combinations": ["composition+process"]}}},
            r"glass has no process; it has text, composition, compimage\.(.|\n)*\[composition\]",
        ),
        (
            {
                "methods": {"a": {"engine": "automm", "combinations": ["text"]}},
                "composition": {"text": "cif"},
                "encoders": {"source": "hub"},
            },
            "steel has no text; it has composition, process, compimage",
        ),
        (
            {"methods": {"a": {"engine": "automm", "combinations": ["text:cif"]}}},
            "steel has no text:cif; it has text, composition, process, compimage",
        ),
        (
            {"methods": {"a": {"engine": "automm", "combinations": ["text:smiles"]}}},
            "the facet 'text' has no form 'smiles'; there are: composition",
        ),
        (
            {"methods": {"a": {"engine": "automm", "combinations": ["text+text:crabnet"]}}},
            "has two forms of the facet 'text'",
        ),
        (
            {"methods": {"a": {"engine": "mcvn", "combinations": ["process+composition"]}}},
            "must be written 'composition\\+process'",
        ),
        (
            {"methods": {"a": {"engine": "automm", "combinations": ["smell"]}}},
            "there is no facet 'smell'; there are: text",
        ),
        ({"report": {"published": [{**SCORE, "source": "b"}]}}, "0.source names an unknown source 'b'"),
        ({"report": {"published": [{**SCORE, "method": "b"}]}}, "0.method names an unknown method 'b'"),
        ({"report": {"published": [{**SCORE, "objective": "b"}]}}, "objective 'b'; available: hv"),
        ({"report": {"published": [{**SCORE, "split": "b"}]}}, "split 'b'; available: formula"),
        (
            {"report": {"published": [{**SCORE, "combination": "compimage"}]}},
            r"0.combination names an unknown combination 'compimage'; available: composition\+process",
        ),
        (
            {
                "report": {"published": [SCORE]},
                "methods": {"a": {"engine": "mcvn", "combinations": ["composition", "compimage"]}},
            },
            r"a has several on steel: composition, compimage(.|\n)*combination: composition",
        ),
        (
            {
                "report": {"published": [SCORE]},
                "methods": {
                    name: {"engine": "mcvn", "sources": [on]} for name, on in (("a", "glass"), ("b", "steel"))
                },
            },
            "published.0.method names a, which is not trained on steel; available: b",
        ),
    ],
)
def test_invalid_comparisons_are_rejected_with_what_to_write(config, message):
    methods = {"a": {"engine": "mcvn"}}
    with pytest.raises(UserError, match=message):
        methods_of(**{"methods": methods, "tables": {"steel": STEEL, "glass": TABLE}, **config})


@pytest.mark.parametrize("name", ["mcvn", "mcvn_steel"])
def test_no_method_was_tuned_on_its_splits_and_every_published_score_declares_differences(name):
    config = complete_config(yaml.safe_load((PROJECT / "config" / f"{name}.yaml").read_text()))
    assert "members" not in str(config["methods"])
    assert all("differs" in entry for entry in config["report"]["published"])


def test_a_published_score_may_name_one_of_several_combinations():
    method = {"engine": "mcvn", "combinations": ["composition", "compimage"]}
    score = {**SCORE, "combination": "compimage"}
    baseline = {**SCORE, "method": "mean", "combination": "none"}
    methods_of(
        {"a": method, "mean": {"engine": "dummy", "settings": {"statistic": "mean"}}},
        tables={"steel": STEEL},
        report={"published": [score, baseline]},
    )


def test_the_networks_of_the_study_use_the_inputs_they_are_named_after():
    config = complete_config(yaml.safe_load((PROJECT / "config" / "mcvn.yaml").read_text()))
    methods = checked_methods(config)
    found = {
        name: [methods[source][name]["combinations"] for source in ("steel", "glasses")]
        for name in ("mcvn_published", "mcvn_without_image", "mcvn_without_original", "svm_e")
    }
    assert found == {
        "mcvn_published": [["composition+process+compimage"], ["composition+compimage"]],
        "mcvn_without_image": [["composition+process"], ["composition"]],
        "mcvn_without_original": [["compimage"], ["compimage"]],
        "svm_e": [["composition+process"], ["composition"]],
    }
