"""Which methods share a foundation: those that differ in nothing that it is made from."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from polyfacet.runtime.identifiers import text_digest
from polyfacet.training.engines.registry import ENGINES

DIGEST_CHARS = 10


def settings_of_foundation(method: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a method without those of its heads."""
    heads = ENGINES.get(method["engine"]).head_settings
    return {name: value for name, value in method["settings"].items() if name not in heads}


def foundation_name(method: Mapping[str, Any], facets: Sequence[str], objectives: Sequence[str] | int) -> str:
    """Name the foundation of a method by its engine and a digest of what it is made from.

    The objectives of the run are not part of it, so that a foundation on a split keeps its name, and is kept
    if it does not learn an objective that is added.

    Parameters
    ----------
    method
        ``engine`` and ``settings`` of the method, completed.
    facets
        Names of all facets of the method.
    objectives
        Objectives that the configuration names for the method, or their number; empty for all of the run.

    Returns
    -------
    str
        Methods with the same name have the same foundation on each split.
    """
    learned = objectives if ENGINES.get(method["engine"]).foundation_learns else []
    made_from = [settings_of_foundation(method), sorted(facets), learned]
    digest = text_digest(json.dumps(made_from, sort_keys=True, default=str))
    return f"{method['engine']}-{digest[:DIGEST_CHARS]}"
