"""Objectives of cells: a number or a class per material, as a column of the dataset.

Labels and units are for people. Cells do not get them, so that a new label retrains nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self


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
    contained_in_structure
        Whether the value can be read off a structure, as the volume can off a lattice.
    """

    column: str
    label: str = ""
    unit: str = ""
    classes: tuple[str, ...] = ()
    contained_in_structure: bool = False

    @property
    def learned(self) -> dict[str, Any]:
        """Fields that cells get."""
        return {
            "column": self.column,
            "classes": list(self.classes),
            "contained_in_structure": self.contained_in_structure,
        }

    @property
    def shown(self) -> dict[str, str]:
        """Fields for tables and figures."""
        return {"label": self.label, "unit": self.unit}

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> Self:
        """Create an objective from its fields in a configuration, in which the classes are a list."""
        return cls(**{**fields, "classes": tuple(fields.get("classes", ()))})
