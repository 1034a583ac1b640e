"""Methods share a foundation if they differ in nothing that it is made from."""

from typing import Any

import pytest

from polyfacet.training.engines.registry import complete_settings
from polyfacet.training.shared_foundations import foundation_name, settings_of_foundation


def method(engine: str = "joint", objectives: tuple[str, ...] = ("gap", "e_form"), **settings: Any) -> dict:
    return {
        "engine": engine,
        "settings": complete_settings(engine, settings),
        "objectives": list(objectives),
    }


def test_heads_share_the_network_whatever_the_order_of_facets():
    ridge = method(head="ridge", hyperparameters={"alpha": 1.0})
    assert foundation_name(method(), ["text", "graph"]) == foundation_name(ridge, ["graph", "text"])
    assert "head" not in settings_of_foundation(ridge)


@pytest.mark.parametrize(
    ("other", "facets"),
    [
        (method(width=64), ["text", "graph"]),
        (method(objectives=("gap",)), ["text", "graph"]),
        (method(), ["text"]),
    ],
)
def test_other_networks_are_not_shared(other, facets):
    assert foundation_name(other, facets) != foundation_name(method(), ["text", "graph"])


def test_foundations_that_learn_no_objective_do_not_depend_on_them():
    one, two = (method("tabicl", objectives=names) for names in (("gap",), ("e_form",)))
    assert foundation_name(one, ["graph"]) == foundation_name(two, ["graph"])
