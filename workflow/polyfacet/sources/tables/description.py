"""Objectives and columns of a table, from its description, ``tables.<name>`` of a configuration."""

from collections.abc import Mapping
from itertools import chain
from typing import Any

from polyfacet.config.completion import checked_section
from polyfacet.config.tables import TableSource
from polyfacet.materials.objectives import Objective, with_distinct_labels


def table_source(name: str, section: Mapping[str, Any]) -> TableSource:
    """Read a table's section of a configuration.

    Raises
    ------
    UserError
        If it is wrong or contradicts itself; the message names the key.
    """
    return checked_section(TableSource, section, ["tables", name])


def objectives_of(source: TableSource) -> list[Objective]:
    """Return the objectives of a table."""
    return with_distinct_labels(
        [
            Objective(
                name,
                each.label or each.column,
                each.unit,
                tuple(each.classes),
                frozenset(each.follows_from),
                tuple(each.zero or ()),
            )
            for name, each in source.objectives.items()
        ]
    )


def read_of_table(section: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out of a table's section what the reading of the table does not depend on."""
    unread = ("label", "unit", "follows_from", "zero")
    objectives = {
        name: {key: value for key, value in each.items() if key not in unread}
        for name, each in section["objectives"].items()
    }
    return {**section, "objectives": objectives}


def columns_of(source: TableSource) -> list[str]:
    """Return all columns that the table must have."""
    named = [source.id, source.composition.formula]
    return [
        *(name for name in named if name is not None),
        *source.composition.columns.values(),
        *chain.from_iterable(source.features.values()),
        *(each.column for each in source.objectives.values()),
    ]
