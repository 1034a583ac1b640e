"""Blends in a configuration: their members and combinations, resolved or refused."""

import pytest

from polyfacet.config.completion import complete_config
from polyfacet.runtime.errors import UserError
from polyfacet.training.engines.classical.declaration import CLASSICAL
from polyfacet.training.methods import checked_methods

TABLE = {
    "file": "a.csv",
    "composition": {"formula": "F"},
    "process": ["T"],
    "objectives": {"hv": {"column": "HV"}},
}
CLASSES = {**TABLE, "objectives": {"grade": {"column": "G", "classes": ["a", "b"]}}}
RIDGE = {"engine": "classical", "settings": {"model": "ridge"}, "combinations": ["graph", "graph+compimage"]}
TREES = {"engine": "classical", "settings": {"model": "tree"}, "combinations": ["compimage"]}


def methods_of(blend=None, source="crystals", *, blended=None, **config):
    """Return the resolved methods of a source; the blend is of ridge and trees unless it says otherwise."""
    settings = {"members": ["ridge", "trees"], **(blended or {})}
    methods = {"ridge": RIDGE, "trees": TREES, "mean": {"engine": "dummy"}}
    own = {"engine": "blend", "settings": settings, **(blend or {})}
    return checked_methods(complete_config({"methods": {**methods, "stack": own}, **config}))[source]


def members(method):
    return {each["method"]: each["combinations"] for each in method["settings"]["members"]}


def test_members_are_resolved_with_their_settings_and_combinations():
    methods = methods_of()
    stack = methods["stack"]
    assert stack["combinations"] == ["graph", "graph+compimage", "compimage"]
    assert members(stack) == {"ridge": ["graph", "graph+compimage"], "trees": ["compimage"]}
    for each in stack["settings"]["members"]:
        assert each["settings"] == methods[each["method"]]["settings"]


def test_late_fusion_averages_the_smallest_combinations():
    methods = methods_of(blended={"of": "facets"})
    assert members(methods["stack"]) == {"ridge": ["graph"], "trees": ["compimage"]}


def test_facets_that_members_only_look_at_together_count_as_one():
    methods = {
        "ridge": {"engine": "classical"},
        "average": {"engine": "blend", "settings": {"members": ["ridge"], "of": "facets"}},
    }
    resolved = checked_methods(complete_config({"methods": methods, "tables": {"steel": TABLE}}))["steel"]
    assert resolved["average"]["combinations"] == ["composition+process"]
    assert members(resolved["average"]) == {"ridge": ["composition+process"]}


def test_members_without_cells_for_the_combinations_are_left_out():
    assert members(methods_of({"combinations": ["compimage"]})["stack"]) == {"trees": ["compimage"]}


def test_a_blend_may_have_as_few_repeats_as_its_members():
    split = {"formula": {"repeats": 3}}
    config = {
        "methods": {
            "ridge": {**RIDGE, "repeats": 2},
            "stack": {"engine": "blend", "settings": {"members": ["ridge"]}, "repeats": 2},
        },
        "splits": split,
    }
    assert checked_methods(complete_config(config))["crystals"]["stack"]["repeats"] == 2
    del config["methods"]["stack"]["repeats"]
    expected = r"on 3 repeats, but its member ridge only on 2 (.|\n)*methods: {stack: {repeats: 2}}"
    with pytest.raises(UserError, match=expected):
        checked_methods(complete_config(config))


def test_a_blend_may_have_as_few_objectives_as_its_members():
    ridge = {**RIDGE, "objectives": ["gap"]}
    blend = {"engine": "blend", "settings": {"members": ["ridge"]}}
    config = {
        "methods": {"ridge": ridge, "stack": {**blend, "objectives": ["gap"]}},
        "objectives": ["gap", "e_form"],
    }
    assert checked_methods(complete_config(config))["crystals"]["stack"]["objectives"] == ["gap"]
    config["methods"]["stack"] = blend
    expected = r"cells of e_form, but its member ridge has none(.|\n)*methods: {stack: {objectives: \[gap\]}}"
    with pytest.raises(UserError, match=expected):
        checked_methods(complete_config(config))


def test_members_have_the_same_settings_for_all_objectives_of_a_blend():
    own = {"e_form": {"features": "expanded"}}
    ridge = {"ridge": {**RIDGE, "settings_of_objectives": own}}
    blend = {"engine": "blend", "settings": {"members": ["ridge"]}, "objectives": ["gap"]}
    config = {"methods": {**ridge, "stack": blend}, "objectives": ["gap", "e_form"]}
    methods = checked_methods(complete_config(config))["crystals"]
    (member,) = methods["stack"]["settings"]["members"]
    assert member["settings"] == methods["ridge"]["settings"]
    del blend["objectives"]
    expected = r"cannot blend ridge, which has settings of its own for e_form (.|\n)*another method"
    with pytest.raises(UserError, match=expected):
        checked_methods(complete_config(config))


@pytest.mark.parametrize(
    ("blended", "expected"),
    [
        ({"members": ["ridgee"]}, r"stack.settings.members names 'ridgee', which is not trained on crystals"),
        ({"members": ["stack"]}, "'stack' cannot be blended, as its engine is a blend itself"),
        ({"members": ["mean"]}, "'mean' cannot be blended, as its engine uses no facets; .*: ridge, trees"),
        ({"members": ["ridge", "ridge"]}, "names a method twice"),
        ({"members": []}, "members"),
        (
            {"members": [{"method": "a", "engine": "classical", "combinations": ["graph"]}]},
            "names of methods",
        ),
    ],
    ids=str,
)
def test_what_cannot_be_a_member_is_refused(blended, expected):
    with pytest.raises(UserError, match=expected):
        methods_of(blended=blended)


@pytest.mark.parametrize(
    ("blended", "combination", "expected"),
    [
        ({}, "text+graph", r"cannot blend text\+graph on crystals: no member is trained on text\. Add text"),
        (
            {"of": "facets", "members": ["ridge"]},
            "graph+compimage",
            r"no member is trained on compimage alone",
        ),
    ],
)
def test_a_combination_without_cells_of_a_facet_is_refused(blended, combination, expected):
    with pytest.raises(UserError, match=expected):
        methods_of({"combinations": [combination]}, blended=blended)


def test_classes_need_members_with_probabilities(monkeypatch):
    methods = {
        "trees": {"engine": "classical"},
        "stack": {"engine": "blend", "settings": {"members": ["trees"]}},
    }
    config = complete_config({"methods": methods, "tables": {"steel": CLASSES}})
    assert checked_methods(config)["steel"]["stack"]["combinations"] == ["composition+process"]
    monkeypatch.setitem(CLASSICAL.__dict__, "probabilities", False)
    with pytest.raises(
        UserError, match=r"classes \(grade of steel\).*'classical' of 'trees'.*Leave trees out"
    ):
        checked_methods(config)
    both = {**CLASSES, "objectives": {**TABLE["objectives"], **CLASSES["objectives"]}}
    methods["stack"]["objectives"] = ["hv"]
    config = complete_config({"methods": methods, "tables": {"steel": both}})
    assert checked_methods(config)["steel"]["stack"]["objectives"] == ["hv"]
