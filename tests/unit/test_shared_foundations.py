"""Methods share a foundation if they differ in nothing that it is made from."""

from typing import Any

import pytest

from polyfacet.training.engines.registry import complete_settings
from polyfacet.training.shared_foundations import foundation_name, settings_of_foundation


def method(engine: str = "joint", **settings: Any) -> dict[str, Any]:
    return {"engine": engine, "settings": complete_settings(engine, settings)}


def test_heads_share_the_network_whatever_the_order_of_facets():
    ridge = method(head="ridge", hyperparameters={"alpha": 1.0})
    assert foundation_name(method(), ["text", "graph"], []) == foundation_name(ridge, ["graph", "text"], [])
    assert "head" not in settings_of_foundation(ridge)


@pytest.mark.parametrize(
    ("other", "facets", "objectives"),
    [
        (method(width=64), ["text", "graph"], []),
        (method(), ["text", "graph"], ["gap"]),
        (method(), ["text", "graph"], 2),
        (method(), ["text"], []),
    ],
)
def test_other_networks_are_not_shared(other, facets, objectives):
    assert foundation_name(other, facets, objectives) != foundation_name(method(), ["text", "graph"], [])


def test_foundations_that_learn_no_objective_do_not_depend_on_them():
    one, two = (foundation_name(method("tabicl"), ["graph"], named) for named in (["gap"], ["e_form"]))
    assert one == two
