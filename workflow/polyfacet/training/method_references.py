"""Check the names by which methods, splits and the report of a configuration refer to each other."""

import difflib
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from polyfacet.runtime.errors import UserError
from polyfacet.training.cells import NO_FACET
from polyfacet.training.complete_methods import Method, Methods
from polyfacet.training.engines.registry import ENGINES
from polyfacet.training.sources import objectives_of_sources, objectives_on, sources_of, splits_of_source


def check_references(config: Mapping[str, Any]) -> None:
    """Reject engines, sources, objectives, facets, methods and splits that do not exist.

    Raises
    ------
    UserError
        The message names what there is.
    """
    sources = sources_of(config)
    for name, method in config["methods"].items():
        _check_engine(name, method["engine"])
        _check_sources(f"methods.{name}.sources", method["sources"], sources)
        _check_sources(f"methods.{name}.settings_of_sources", method["settings_of_sources"], sources)
        if isinstance(method["combinations"], Mapping):
            _check_sources(f"methods.{name}.combinations", method["combinations"], sources)
        _check_objectives_of(name, method, config)
    _check_splits(config, sources)
    facets = dict.fromkeys(facet.base for own in sources.values() for facet in own)
    for facet in config["training"]["missing"]["facets"]:
        _check_named("training.missing.facets", facet, "facet", facets)
    _check_report(config, sources)


def check_published(config: Mapping[str, Any], methods: Methods) -> None:
    """Reject published scores that match no cell of the run, or not a unique one."""
    for i, entry in enumerate(config["report"]["published"]):
        _check_combination(f"report.published.{i}", entry, methods[entry["source"]])


def check_skipped(config: Mapping[str, Any], skipped: Mapping[str, Mapping[str, str]]) -> None:
    """Reject a skipped method that others rely on, and a run of which no method is left."""
    if skipped and all(
        name in skipped.get(source, ())
        for source in sources_of(config)
        for name, method in config["methods"].items()
        if source in (method["sources"] or [source])
    ):
        reasons = {f"{name} ({reason})" for own in skipped.values() for name, reason in own.items()}
        raise UserError(f"no method is left to train; skipped: {', '.join(sorted(reasons))}.")
    for source, own in skipped.items():
        for name, reason in own.items():
            blends = [
                blend
                for blend, method in config["methods"].items()
                if name in (method["settings"].get("members") or ())
            ]
            users = [*(f"methods.{blend}" for blend in blends), *_reports_on(config, name)]
            if users:
                raise UserError(
                    f"{' and '.join(users)} name the method {name}, which is skipped on {source}: {reason}. "
                    f"Leave {name} out there."
                )


def _reports_on(config: Mapping[str, Any], name: str) -> list[str]:
    published = config["report"]["published"]
    named = [config["report"]["reference"], *(entry["method"] for entry in published)]
    return ["report"] if name in named else []


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
    objectives = objectives_of_sources(config)
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
    _check_named(f"{where}.objective", entry.get("objective"), "objective", methods[method]["objectives"])
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


def _check_objectives_of(name: str, method: Mapping[str, Any], config: Mapping[str, Any]) -> None:
    """Reject objectives that no source of a method has, and settings of ones that it is not trained on."""
    sources = objectives_of_sources(config)
    own = method["sources"] or sources
    known = list(dict.fromkeys(each for source in own for each in sources[source]))
    chosen = method["objectives"]
    for objective in [] if isinstance(chosen, int) else chosen:
        _check_named(f"methods.{name}.objectives", objective, "objective", known)
    trained = list(dict.fromkeys(each for source in own for each in objectives_on(method, source, config)))
    for objective in method["settings_of_objectives"]:
        _check_named(f"methods.{name}.settings_of_objectives", objective, "objective", trained)
