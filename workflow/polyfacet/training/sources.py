"""What the sources of a configuration have: facets, objectives and splits."""

from collections.abc import Mapping
from typing import Any

from polyfacet.config.run import CRYSTALS
from polyfacet.facets.declaration import Facet
from polyfacet.facets.registry import COMPOSITION, FACETS, MICROSTRUCTURE, PROCESS, TEXT, in_order
from polyfacet.materials.column_objectives import column_objectives, names_of


def sources_of(config: Mapping[str, Any]) -> dict[str, tuple[Facet, ...]]:
    """Return the sources of a configuration with their facets."""
    of_crystals = tuple(facet for facet in FACETS.all().values() if facet.needs != "columns")
    crystals = {CRYSTALS: of_crystals} if config["sources"] else {}
    return crystals | {name: _facets_of_table(table) for name, table in config["tables"].items()}


def splits_of_source(config: Mapping[str, Any], source: str) -> dict[str, Any]:
    """Return the splits of a source, by name."""
    splits = config["splits"].items()
    return {name: split for name, split in splits if source in (split["sources"] or [source])}


def objectives_of_sources(config: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the names of the objectives of each source."""
    crystals = {CRYSTALS: names_of(config["objectives"])} if config["sources"] else {}
    return crystals | {name: list(table["objectives"]) for name, table in config["tables"].items()}


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


def classes_of_source(config: Mapping[str, Any], source: str) -> list[str]:
    """Return the names of those objectives of a source that have classes."""
    if source == CRYSTALS:
        columns = column_objectives(config["objectives"])
        return [name for name, column in columns.items() if column.objective.classes]
    objectives = config["tables"][source]["objectives"]
    return [objective for objective, column in objectives.items() if column["classes"]]


def forms_of(config: Mapping[str, Any]) -> dict[str, str]:
    """Return the default variant of each facet, used where a combination names none."""
    return {TEXT.name: config["composition"]["text"]}


def needs_structure(facet: Facet, forms: Mapping[str, str]) -> bool:
    """Return whether a facet, in its variant, is derived from the structure."""
    return facet.form_needs_structure(facet.form or forms.get(facet.base, ""))


def _facets_of_table(table: Mapping[str, Any]) -> tuple[Facet, ...]:
    """List the facets of a table: its columns, and those derived from formulas."""
    columns = [COMPOSITION, *(facet for facet in (PROCESS, MICROSTRUCTURE) if table[facet.name])]
    of_formulas = (facet for facet in FACETS.all().values() if facet.needs == "formula")
    return tuple(in_order([*columns, *of_formulas]))


def objectives_on(method: Mapping[str, Any], source: str, config: Mapping[str, Any]) -> list[str]:
    """Return the objectives that a method is trained on on a source, in the order of the source."""
    every, chosen = objectives_of_sources(config)[source], method["objectives"]
    if isinstance(chosen, int):
        return every[:chosen]
    return [name for name in every if name in (chosen or every)]
