"""What a cell learns: a number or a class of each material, as a column of the dataset.

Labels and units are for people: cells are not told them, so that another label trains nothing again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True)
class Objective:
    """A column that is predicted.

    Parameters
    ----------
    column
        Column of the dataset.
    label
        Name in tables and figures; empty in cells.
    unit
        Unit of a number; empty for what has none, and in cells.
    classes
        Names of the classes, in the order of reports; empty where numbers are predicted (regression).
    contained_in_structure
        Whether the answer can be read off a structure: a lattice shows its volume.
    """

    column: str
    label: str = ""
    unit: str = ""
    classes: tuple[str, ...] = ()
    contained_in_structure: bool = False

    @property
    def learned(self) -> dict[str, Any]:
        """What cells are told of it, by field."""
        return {
            "column": self.column,
            "classes": list(self.classes),
            "contained_in_structure": self.contained_in_structure,
        }

    @property
    def shown(self) -> dict[str, str]:
        """What people are shown, by field."""
        return {"label": self.label, "unit": self.unit}

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> Self:
        """Make an objective from its fields as a config has them, with a list of classes."""
        return cls(**{**fields, "classes": tuple(fields.get("classes", ()))})
