"""Complete methods, and which of them, of their objectives and of their settings cells have."""

from collections.abc import Mapping
from typing import Any

# Its ``engine``, ``combinations`` (names; empty for a baseline), ``objectives``, ``settings``,
# ``settings_of_objectives`` (complete, where they differ) and ``repeats`` (None for all).
Method = Mapping[str, Any]
# Source to its methods by name.
Methods = Mapping[str, Mapping[str, Method]]


def methods_of_repeat(methods: Mapping[str, Method], repeat: int) -> dict[str, Method]:
    """Select the methods that are trained on a repeat of a split, counted from 0."""
    return {
        name: method
        for name, method in methods.items()
        if method["repeats"] is None or repeat < method["repeats"]
    }


def objectives_of_split(split: Mapping[str, Any], method: Method) -> list[str]:
    """Return the objectives that cells of a method predict on a split: all, or the one that splits it."""
    return [each for each in method["objectives"] if split["objective"] in (None, each)]


def settings_of_objective(method: Method, objective: str) -> Mapping[str, Any]:
    """Return the settings of the cells of a method that predict an objective."""
    settings: Mapping[str, Any] = method["settings_of_objectives"].get(objective, method["settings"])
    return settings


def every_settings(method: Method) -> list[Mapping[str, Any]]:
    """Return the settings of a method, and those of its objectives that have their own."""
    return [method["settings"], *method["settings_of_objectives"].values()]
