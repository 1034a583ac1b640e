"""The methods that a configuration compares: each an engine with settings and combinations of facets."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from polyfacet.runtime.errors import UserError
from polyfacet.training.blended_methods import MethodsOfSource
from polyfacet.training.complete_methods import Methods, objectives_of_split
from polyfacet.training.engines.registry import ENGINES
from polyfacet.training.method_combinations import combinations_on
from polyfacet.training.method_references import check_published, check_references, check_skipped
from polyfacet.training.method_settings import settings_of_objectives_on, settings_on
from polyfacet.training.sources import (
    classes_of_source,
    objectives_of_sources,
    objectives_on,
    sources_of,
    splits_of_source,
)


class PlannedMethods(NamedTuple):
    """The methods of a configuration.

    Attributes
    ----------
    trained
        Source to method name to complete method.
    skipped
        Methods of each source that are not trained, with the reason; no source without any.
    """

    trained: Methods
    skipped: Mapping[str, Mapping[str, str]]


def planned_methods(config: Mapping[str, Any]) -> PlannedMethods:
    """Check and complete the methods of a configuration for each source.

    Parameters
    ----------
    config
        A complete configuration.

    Raises
    ------
    UserError
        If the name of a source or a method is unknown, an engine cannot use a combination, a source does
        not have a facet, or settings do not belong to the engine.
    """
    check_references(config)
    skipped = _skipped(config)
    check_skipped(config, skipped)
    checked: Methods = {
        source: {
            name: {
                "engine": method["engine"],
                "combinations": combinations_on(name, method, source, facets, config),
                "objectives": objectives,
                "settings": settings_on(name, method, source),
                "settings_of_objectives": settings_of_objectives_on(name, method, source, objectives),
                "repeats": method["repeats"],
            }
            for name, method in config["methods"].items()
            if source in (method["sources"] or [source])
            and name not in skipped.get(source, ())
            and (objectives := _learnable_objectives(name, method, source, config))
        }
        for source, facets in sources_of(config).items()
    }
    resolved = {
        source: MethodsOfSource(
            source,
            of_source,
            max(split["repeats"] for split in splits_of_source(config, source).values()),
            classes_of_source(config, source),
        ).with_members()
        for source, of_source in checked.items()
    }
    check_published(config, resolved)
    return PlannedMethods(resolved, skipped)


def checked_methods(config: Mapping[str, Any]) -> Methods:
    """Return the methods that are trained, of `planned_methods`."""
    return planned_methods(config).trained


def places_without_cells(config: Mapping[str, Any], methods: Methods) -> list[str]:
    """Name the sources, objectives and splits that no method is trained on.

    Parameters
    ----------
    config
        A complete configuration.
    methods
        Its methods, as `checked_methods` returns them.
    """
    places = []
    for source, objectives in objectives_of_sources(config).items():
        own = methods[source].values()
        if not own:
            places.append(source)
            continue
        trained = {each for method in own for each in method["objectives"]}
        places += [f"the objective {name} of {source}" for name in objectives if name not in trained]
        places += [
            f"the split {name} of {source}"
            for name, split in splits_of_source(config, source).items()
            if not any(objectives_of_split(split, method) for method in own)
        ]
    return places


def _skipped(config: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Return the methods of each source that are not trained, with the reason; no source without any."""
    reasons = {
        source: {
            name: reason
            for name, method in config["methods"].items()
            if source in (method["sources"] or [source])
            and (reason := ENGINES.get(method["engine"]).why_skipped(settings_on(name, method, source)))
        }
        for source in sources_of(config)
    }
    return {source: own for source, own in reasons.items() if own}


def _learnable_objectives(
    name: str, method: Mapping[str, Any], source: str, config: Mapping[str, Any]
) -> list[str]:
    """Return the objectives of a method on a source; reject classes that its engine cannot predict."""
    objectives = objectives_on(method, source, config)
    classes = [each for each in classes_of_source(config, source) if each in objectives]
    if classes and not ENGINES.get(method["engine"]).classes:
        numbers = ", ".join(each for each in objectives if each not in classes)
        others = f"its objectives: methods: {{{name}: {{objectives: [{numbers}]}}}}, or " if numbers else ""
        raise UserError(
            f"methods.{name}: engine {method['engine']!r} only predicts numbers, but {source} has the "
            f"classes of {', '.join(classes)}. "
            f"Name {others}its sources: methods: {{{name}: {{sources: [...]}}}}"
        )
    return objectives
