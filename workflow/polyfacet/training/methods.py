"""The methods that a configuration compares: an engine, its settings, and the combinations it is tried on."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from polyfacet.config.completion import complete_config
from polyfacet.facets.registry import (
    CRYSTAL_FACETS,
    Facet,
    combination_name,
    facets_of,
    grid,
)
from polyfacet.runtime.errors import UserError
from polyfacet.training.engines.registry import check_combinations, is_baseline

CRYSTALS = "crystals"


def sources_of(config: Mapping[str, Any]) -> dict[str, tuple[Facet, ...]]:
    """List the sources of a configuration, and the facets that each has."""
    crystals = {CRYSTALS: CRYSTAL_FACETS} if config["sources"] else {}
    return crystals | {name: _facets_of_table(table) for name, table in config["tables"].items()}


def checked_methods(config: Mapping[str, Any]) -> dict[str, dict[str, dict[str, Any]]]:
    """Check the methods of a configuration, and complete them for each source.

    Parameters
    ----------
    config
        A complete configuration.

    Returns
    -------
    dict
        Source, then method, to its ``engine``, ``combinations`` (names; none of a baseline) and ``settings``.

    Raises
    ------
    UserError
        If there is no source, the name of a source or a method is unknown, an engine cannot look at a
        combination, a source does not have a facet, or settings are not those of the engine.
    """
    sources, methods = sources_of(config), config["methods"]
    if not sources:
        raise UserError("There is nothing to learn from: name entry files in `sources`, or `tables`.")
    for name, method in methods.items():
        _check_sources(f"methods.{name}.sources", method["sources"], sources)
        _check_sources(f"methods.{name}.settings_of_sources", method["settings_of_sources"], sources)
        if isinstance(method["combinations"], Mapping):
            _check_sources(f"methods.{name}.combinations", method["combinations"], sources)
    _check_report(config["report"], sources, methods)
    return {
        source: {
            name: {
                "engine": method["engine"],
                "combinations": _combinations(name, method, source, facets, config["combinations"]),
                "settings": _settings(name, method, source),
            }
            for name, method in methods.items()
            if source in (method["sources"] or sources)
        }
        for source, facets in sources.items()
    }


def _facets_of_table(table: Mapping[str, Any]) -> tuple[Facet, ...]:
    process = (Facet.PROCESS,) if table["process"] else ()
    return (Facet.COMPOSITION, *process, Facet.COMPIMAGE)


def _check_sources(where: str, named: Iterable[str], sources: Mapping[str, Any]) -> None:
    unknown = [source for source in named if source not in sources]
    if unknown:
        raise UserError(f"{where} names the source {unknown[0]!r}; there are: {', '.join(sources)}.")


def _check_report(report: Mapping[str, Any], sources: Mapping[str, Any], methods: Mapping[str, Any]) -> None:
    _check_sources("report.published", [entry["source"] for entry in report["published"]], sources)
    for where, name in (
        ("report.reference", report["reference"]),
        *(("report.published", entry["method"]) for entry in report["published"]),
    ):
        if name is not None and name not in methods:
            raise UserError(f"{where} is {name!r}, which is none of the methods: {', '.join(methods)}.")


def _combinations(
    name: str, method: Mapping[str, Any], source: str, facets: Sequence[Facet], usual: str | Sequence[str]
) -> list[str]:
    """Resolve the combinations of a method on a source."""
    engine, chosen = method["engine"], method["combinations"]
    if isinstance(chosen, Mapping):
        chosen = chosen.get(source)
    if is_baseline(engine):
        if chosen:
            raise UserError(f"methods.{name}.combinations: engine {engine!r} looks at no facet. Take it out.")
        return []
    if chosen is None:
        numbers = [facet for facet in facets if facet.facts.kind == "vector"]
        chosen = usual if source == CRYSTALS else [combination_name(numbers)]
    try:
        combinations = grid(chosen)
    except ValueError as error:
        raise UserError(f"combinations of methods.{name}: {error}") from error
    check_combinations(engine, combinations)
    for combination in combinations:
        lacking = [facet.value for facet in facets_of(combination) if facet not in facets]
        if lacking:
            raise UserError(
                f"methods.{name} is to look at {combination}, and {source} has no {', '.join(lacking)}; it "
                f"has {', '.join(facet.value for facet in facets)}. Write for example\n"
                f"      methods: {{{name}: {{combinations: {{{source}: [{facets[0].value}]}}}}}}"
            )
    return combinations


def _settings(name: str, method: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Complete the settings of a method on a source."""
    own = method["settings_of_sources"].get(source)
    if not own:
        return dict(method["settings"])
    settings = {**method["settings"], **own}
    try:
        complete = complete_config({"methods": {name: {"engine": method["engine"], "settings": settings}}})
    except UserError as error:
        raise UserError(f"methods.{name}.settings_of_sources.{source}:\n{error}") from error
    return dict(complete["methods"][name]["settings"])
