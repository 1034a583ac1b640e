"""The methods that a configuration compares: each an engine with settings and combinations of facets."""

import difflib
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from polyfacet.config.run import CRYSTALS
from polyfacet.config.source_text import KnownSettings
from polyfacet.facets.declaration import Facet
from polyfacet.facets.registry import (
    COMPOSITION,
    FACETS,
    PROCESS,
    TEXT,
    combination_name,
    facets_of,
    grid,
    in_order,
)
from polyfacet.materials.column_objectives import column_objectives, names_of
from polyfacet.runtime.errors import UserError
from polyfacet.training.blended_methods import MethodsOfSource
from polyfacet.training.cells import NO_FACET
from polyfacet.training.engines.registry import ENGINES, check_combinations, complete_settings

# A complete method: its ``engine``, ``combinations`` (names; empty for a baseline), ``settings`` and
# ``repeats`` (None for all).
Method = Mapping[str, Any]
# Source to its methods by name.
Methods = Mapping[str, Mapping[str, Method]]


def sources_of(config: Mapping[str, Any]) -> dict[str, tuple[Facet, ...]]:
    """Return the sources of a configuration with their facets."""
    of_crystals = tuple(facet for facet in FACETS.all().values() if facet.needs != "columns")
    crystals = {CRYSTALS: of_crystals} if config["sources"] else {}
    return crystals | {name: _facets_of_table(table) for name, table in config["tables"].items()}


def splits_of_source(config: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Return the splits of a source, by name."""
    splits = config["splits"].items()
    return {name: split for name, split in splits if source in (split["sources"] or [source])}


def methods_of_repeat(methods: Mapping[str, Method], repeat: int) -> dict[str, Method]:
    """Select the methods that are trained on a repeat of a split, counted from 0."""
    return {
        name: method
        for name, method in methods.items()
        if method["repeats"] is None or repeat < method["repeats"]
    }


def objectives_of_split(split: Mapping[str, Any], objectives: Iterable[str]) -> list[str]:
    """Return the objectives that cells of a split predict: the one that splits it, or all of a source."""
    return list(objectives) if split["objective"] is None else [split["objective"]]


def numbers_of_sources(config: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the names of those objectives of each source that are numbers."""
    columns = column_objectives(config["objectives"])
    of_crystals = [
        name
        for name in names_of(config["objectives"])
        if name not in columns or not columns[name].objective.classes
    ]
    crystals = {CRYSTALS: of_crystals} if config["sources"] else {}
    return crystals | {
        name: [each for each, column in table["objectives"].items() if not column["classes"]]
        for name, table in config["tables"].items()
    }


def forms_of(config: Mapping[str, Any]) -> dict[str, str]:
    """Return the default variant of each facet, used where a combination names none."""
    return {TEXT.name: config["composition"]["text"]}


def needs_structure(facet: Facet, forms: Mapping[str, str]) -> bool:
    """Return whether a facet, in its variant, is derived from the structure."""
    return facet.form_needs_structure(facet.form or forms.get(facet.base, ""))


def checked_methods(config: Mapping[str, Any]) -> Methods:
    """Check and complete the methods of a configuration for each source.

    Parameters
    ----------
    config
        A complete configuration.

    Returns
    -------
    mapping
        Source to method name to method.

    Raises
    ------
    UserError
        If the name of a source or a method is unknown, an engine cannot use a combination, a source does
        not have a facet, or settings do not belong to the engine.
    """
    sources, methods = sources_of(config), config["methods"]
    for name, method in methods.items():
        _check_engine(name, method["engine"])
        _check_sources(f"methods.{name}.sources", method["sources"], sources)
        _check_sources(f"methods.{name}.settings_of_sources", method["settings_of_sources"], sources)
        if isinstance(method["combinations"], Mapping):
            _check_sources(f"methods.{name}.combinations", method["combinations"], sources)
    _check_splits(config, sources)
    _check_report(config, sources)
    checked: Methods = {
        source: {
            name: {
                "engine": method["engine"],
                "combinations": _combinations(name, method, source, facets, config),
                "settings": _settings(name, method, source),
                "repeats": method["repeats"],
            }
            for name, method in methods.items()
            if source in (method["sources"] or sources)
        }
        for source, facets in sources.items()
    }
    resolved = {
        source: MethodsOfSource(
            source,
            of_source,
            max(split["repeats"] for split in splits_of_source(config, source).values()),
            _classes_of(config, source),
        ).with_members()
        for source, of_source in checked.items()
    }
    for i, entry in enumerate(config["report"]["published"]):
        _check_combination(f"report.published.{i}", entry, resolved[entry["source"]])
    return resolved


def known_settings(config: Mapping[str, Any]) -> KnownSettings:
    """Collect the declared settings of all engines and methods; unknown engines have none."""
    engines = {name: engine.settings for name, engine in ENGINES.all().items()}
    named = {name: method["engine"] for name, method in config["methods"].items()}
    return KnownSettings(
        engines, {name: engines[engine] for name, engine in named.items() if engine in engines}
    )


def _facets_of_table(table: Mapping[str, Any]) -> tuple[Facet, ...]:
    """List the facets of a table: its columns, and those derived from formulas."""
    columns = (COMPOSITION, PROCESS) if table["process"] else (COMPOSITION,)
    of_formulas = (facet for facet in FACETS.all().values() if facet.needs == "formula")
    return tuple(in_order([*columns, *of_formulas]))


def _check_sources(where: str, named: Iterable[str], sources: Mapping[str, Any]) -> None:
    for source in named:
        _check_named(where, source, "source", sources)


def _check_splits(config: Mapping[str, Any], sources: Mapping[str, Any]) -> None:
    for name, split in config["splits"].items():
        _check_sources(f"splits.{name}.sources", split["sources"], sources)
    for source in sources:
        if not splits_of_source(config, source):
            raise UserError(
                f"no split applies to {source}. Add it to the `sources` of one, or write for example\n"
                f"      splits: {{random: {{sources: [{source}]}}}}"
            )


def _check_engine(name: str, engine: str) -> None:
    known = list(ENGINES.all())
    if engine not in known:
        near = difflib.get_close_matches(engine, known, n=1) or known[:1]
        raise UserError(
            f"methods.{name}.engine: unknown engine {engine!r}; available: {', '.join(known)}. "
            f"Write for example\n      methods: {{{name}: {{engine: {near[0]}}}}}"
        )


def _check_report(config: Mapping[str, Any], sources: Mapping[str, Any]) -> None:
    report, methods = config["report"], config["methods"]
    objectives = {CRYSTALS: names_of(config["objectives"])} | {
        name: list(table["objectives"]) for name, table in config["tables"].items()
    }
    _check_named("report.reference", report["reference"], "method", methods)
    for i, entry in enumerate(report["published"]):
        where = f"report.published.{i}"
        _check_sources(f"{where}.source", [entry["source"]], sources)
        _check_named(f"{where}.method", entry["method"], "method", methods)
        _check_named(f"{where}.objective", entry.get("objective"), "objective", objectives[entry["source"]])
        _check_named(f"{where}.split", entry.get("split"), "split", config["splits"])


def _check_combination(where: str, entry: Mapping[str, Any], methods: Mapping[str, Method]) -> None:
    """Reject a published score that matches no cell of the run, or not a unique one."""
    source, method = entry["source"], entry["method"]
    if method not in methods:
        raise UserError(
            f"{where}.method names {method}, which is not trained on {source}; available: "
            f"{', '.join(methods)}."
        )
    there = methods[method]["combinations"] or [NO_FACET]
    _check_named(f"{where}.combination", entry.get("combination"), "combination", there)
    if "combination" not in entry and len(there) > 1:
        raise UserError(
            f"{where} names no combination, but {method} has several on {source}: {', '.join(there)}. Write "
            f"for example combination: {there[0]}"
        )


def _check_named(where: str, name: str | None, kind: str, known: Collection[str]) -> None:
    if name is not None and name not in known:
        raise UserError(f"{where} names an unknown {kind} {name!r}; available: {', '.join(known)}.")


def _combinations(
    name: str,
    method: Mapping[str, Any],
    source: str,
    facets: Sequence[Facet],
    config: Mapping[str, Any],
) -> list[str]:
    """Resolve the combinations of a method on a source."""
    engine, chosen = method["engine"], method["combinations"]
    _check_objectives(name, engine, source, config)
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


def _classes_of(config: Mapping[str, Any], source: str) -> list[str]:
    """Return the names of those objectives of a source that have classes."""
    if source == CRYSTALS:
        columns = column_objectives(config["objectives"])
        return [name for name, column in columns.items() if column.objective.classes]
    objectives = config["tables"][source]["objectives"]
    return [objective for objective, column in objectives.items() if column["classes"]]


def _check_objectives(name: str, engine: str, source: str, config: Mapping[str, Any]) -> None:
    """Reject classes for an engine that only predicts numbers."""
    classes = _classes_of(config, source)
    if classes and not ENGINES.get(engine).classes:
        raise UserError(
            f"methods.{name}: engine {engine!r} only predicts numbers, but {source} has the classes of "
            f"{', '.join(classes)}. Name its sources: methods: {{{name}: {{sources: [...]}}}}"
        )


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


def _settings(name: str, method: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Complete the settings of a method on a source."""
    own = method["settings_of_sources"].get(source)
    if own is None:
        return complete_settings(method["engine"], method["settings"], ["methods", name, "settings"])
    where = ["methods", name, "settings_of_sources", source]
    return complete_settings(method["engine"], {**method["settings"], **own}, where)
