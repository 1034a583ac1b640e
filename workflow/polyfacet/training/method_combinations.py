"""The combinations of facets of a method on each source, checked against what engine and source have."""

from collections.abc import Mapping, Sequence
from typing import Any

from polyfacet.config.run import CRYSTALS
from polyfacet.facets.declaration import Facet
from polyfacet.facets.registry import combination_name, facets_of, grid
from polyfacet.runtime.errors import UserError
from polyfacet.training.engines.registry import ENGINES, check_combinations
from polyfacet.training.sources import forms_of, needs_structure


def combinations_on(
    name: str,
    method: Mapping[str, Any],
    source: str,
    facets: Sequence[Facet],
    config: Mapping[str, Any],
) -> list[str]:
    """Resolve the combinations of a method on a source."""
    engine, chosen = method["engine"], method["combinations"]
    if isinstance(chosen, Mapping):
        chosen = chosen.get(source)
    if ENGINES.get(engine).is_baseline:
        if chosen:
            raise UserError(f"methods.{name}.combinations: engine {engine!r} uses no facets. Remove it.")
        return []
    if chosen is None and ENGINES.get(engine).blends:
        # Those of its members.
        return []
    if chosen is None:
        numbers = [facet for facet in facets if facet.needs == "columns"]
        chosen = config["combinations"] if source == CRYSTALS else [combination_name(numbers)]
    try:
        combinations = grid(chosen)
        check_combinations(engine, combinations, facets)
    except (ValueError, UserError) as error:
        raise UserError(f"The combinations of methods.{name}: {error}") from error
    for combination in combinations:
        _check_facets(name, engine, combination, source, facets, forms_of(config))
    return combinations


def _check_facets(
    name: str,
    engine: str,
    combination: str,
    source: str,
    facets: Sequence[Facet],
    forms: Mapping[str, str],
) -> None:
    """Reject facets that a source does not have in the required variant."""
    known = {facet.name for facet in facets}
    lacking = [
        facet.name
        for facet in facets_of(combination)
        if facet.base not in known or (source != CRYSTALS and needs_structure(facet, forms))
    ]
    if lacking:
        has = [facet for facet in facets if source == CRYSTALS or not needs_structure(facet, forms)]
        usable = [facet.name for facet in has if ENGINES.get(engine).looks_at(facet)]
        advice = f"The engine {engine!r} can use none of these."
        if usable:
            advice = (
                f"Write for example\n      methods: {{{name}: {{combinations: {{{source}: [{usable[0]}]}}}}}}"
            )
        raise UserError(
            f"methods.{name} uses {combination}, but {source} has no {', '.join(lacking)}; it has "
            f"{', '.join(facet.name for facet in has)}. {advice}"
        )
