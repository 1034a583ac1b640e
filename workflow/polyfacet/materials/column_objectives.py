"""Objectives of crystals that are columns of their source, and all objectives of a run on crystals."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from polyfacet.materials.crystal_objectives import CRYSTAL_OBJECTIVES, PREDEFINED
from polyfacet.materials.objectives import Objective, with_distinct_labels

_PREDEFINED = frozenset(each.name for each in PREDEFINED)


@dataclass(frozen=True)
class ColumnObjective:
    """An objective whose values the source states: numbers, or names of classes.

    Attributes
    ----------
    objective
        The objective.
    source_column
        Column of the source, or field of its data block; see `polyfacet.materials.stated_values`.
    """

    objective: Objective
    source_column: str


def column_objectives(named: Iterable[str | Mapping[str, Any]]) -> dict[str, ColumnObjective]:
    """Return those objectives of a run that are columns of its source, by name.

    Parameters
    ----------
    named
        ``objectives`` of a complete configuration.  A text is a column unless it is the name of a predefined
        objective or of one of a plug-in; a mapping is always a column.
    """
    declared = CRYSTAL_OBJECTIVES.all()
    columns = [_fields(each) for each in named if not isinstance(each, str) or each not in declared]
    return {each["name"]: _of_fields(each) for each in columns}


def objectives_of_crystals(named: Iterable[str | Mapping[str, Any]]) -> dict[str, Objective]:
    """Return the objectives of a run on crystals by name, in the order of its configuration."""
    named = list(named)
    columns = column_objectives(named)
    found = [
        columns[name].objective if name in columns else CRYSTAL_OBJECTIVES.get(name).objective
        for name in names_of(named)
    ]
    return {each.column: each for each in with_distinct_labels(found)}


def derived_names(named: Iterable[str | Mapping[str, Any]]) -> list[str]:
    """List the objectives that have a table of their own, because the sample does not have their column."""
    named = list(named)
    columns = column_objectives(named)
    return [name for name in names_of(named) if name in columns or name not in _PREDEFINED]


def names_of(named: Iterable[str | Mapping[str, Any]]) -> list[str]:
    """List the names of objectives of a configuration."""
    return [_fields(each)["name"] for each in named]


def _fields(named: str | Mapping[str, Any]) -> Mapping[str, Any]:
    return {"name": named} if isinstance(named, str) else named


def _of_fields(fields: Mapping[str, Any]) -> ColumnObjective:
    name = fields["name"]
    column = fields.get("column") or name
    objective = Objective(
        name,
        fields.get("label") or column,
        fields.get("unit", ""),
        tuple(fields.get("classes", ())),
        frozenset(fields.get("follows_from", ())),
        tuple(fields.get("zero") or ()),
    )
    return ColumnObjective(objective, column)
