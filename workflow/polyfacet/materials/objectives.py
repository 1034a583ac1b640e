"""What a cell learns: a number or a class of each material, as a column of the dataset."""

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
        Name in tables and figures.
    unit
        Unit of a number; empty for what has none.
    classes
        Names of the classes, in the order of reports; empty where numbers are predicted (regression).
    contained_in_structure
        Whether the answer can be read off a structure: a lattice shows its volume.
    """

    column: str
    label: str
    unit: str = ""
    classes: tuple[str, ...] = ()
    contained_in_structure: bool = False

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> Self:
        """Make an objective from its fields as a config has them, with a list of classes."""
        return cls(**{**fields, "classes": tuple(fields.get("classes", ()))})
