"""Objectives of cells: a number or a class per material, as a column of the dataset.

Labels and units are for people. Cells do not get them, so that a new label retrains nothing.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self, get_args

from polyfacet.config.objectives import Aspect

# In the order in which messages and records list them.
ASPECTS: tuple[Aspect, ...] = get_args(Aspect)


@dataclass(frozen=True)
class Objective:
    """A column to predict.

    Parameters
    ----------
    column
        Column of the dataset.
    label
        Name in tables and figures; empty in cells.
    unit
        Unit of the numbers; empty if they have none, and in cells.
    classes
        Names of the classes, in the order of reports; empty for regression.
    follows_from
        Aspects of a material from which, taken together, the value can be computed exactly; empty if it
        cannot.
    zero
        If zero has a meaning of its own: what materials with that value are called, and all others.
        Cells do not get it.
    """

    column: str
    label: str = ""
    unit: str = ""
    classes: tuple[str, ...] = ()
    follows_from: frozenset[Aspect] = frozenset()
    zero: tuple[str, ...] = ()

    def is_revealed_by(self, shown: Collection[Aspect]) -> bool:
        """Return whether the value can be computed from what facets show."""
        return bool(self.follows_from) and self.follows_from <= set(shown)

    @property
    def learned(self) -> dict[str, Any]:
        """Fields that cells get."""
        return {
            "column": self.column,
            "classes": list(self.classes),
            "follows_from": ordered_aspects(self.follows_from),
        }

    @property
    def shown(self) -> dict[str, str]:
        """Fields for tables and figures."""
        return {"label": self.label, "unit": self.unit}

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> Self:
        """Create an objective from its fields in a configuration, which has lists."""
        lists = {
            "classes": tuple(fields.get("classes", ())),
            "follows_from": frozenset(fields.get("follows_from", ())),
        }
        return cls(**{**fields, **lists})


def aspects(what: str, named: object) -> frozenset[Aspect]:
    """Return the aspects that a declaration names.

    Raises
    ------
    ValueError
        If it names anything else; the message names ``what`` and the aspects that there are.
    """
    names = None if isinstance(named, str) or not isinstance(named, Iterable) else list(named)
    if names is None or any(name not in ASPECTS for name in names):
        example = '{"lattice", "sites"}'
        raise ValueError(
            f"{what} is {named!r}, not a set of some of {', '.join(ASPECTS)}. Write for example {example}"
        )
    return frozenset(names)


def ordered_aspects(named: Collection[Aspect]) -> list[Aspect]:
    """Return aspects in a fixed order, for records."""
    return [each for each in ASPECTS if each in named]


def with_distinct_labels(objectives: Collection[Objective]) -> list[Objective]:
    """Add the name of its column to each label that another objective has as well."""
    often = Counter(each.label for each in objectives)
    return [
        each if often[each.label] == 1 else replace(each, label=f"{each.label} ({each.column})")
        for each in objectives
    ]
