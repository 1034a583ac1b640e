"""The description of a structure in English sentences, by Robocrystallographer.

Ganose and Jain, "Robocrystallographer: automated crystal structure text descriptions and analysis",
MRS Communications 9, 874 (2019).
"""

import warnings
from collections.abc import Iterable
from typing import Any

from pymatgen.core import Structure
from robocrys import StructureCondenser, StructureDescriber
from robocrys.condense import condenser
from robocrys.describe import describer


class DescriptionError(ValueError):
    """A structure that Robocrystallographer cannot describe; the message is the reason."""


class _NoNames:
    """Names no molecule: Robocrystallographer would ask a web service, where Open Babel is installed."""

    def get_name_from_molecule_graph(self, _: object) -> None:
        return None


def _in_order(items: Iterable[Any]) -> list[Any]:
    """List items; Robocrystallographer lists sets of words, whose order differs from process to process."""
    return sorted(items) if isinstance(items, set) else list(items)


vars(condenser)["MoleculeNamer"] = _NoNames
vars(describer)["list"] = _in_order


class Describer:
    """Describes structures; keeps the library of prototypes that every structure is compared with."""

    def __init__(self) -> None:
        self.condenser = StructureCondenser()
        self.describer = StructureDescriber()

    def __call__(self, structure: Structure) -> str:
        """Describe a structure: prototype, symmetry, and the surroundings of each inequivalent site.

        Raises
        ------
        DescriptionError
            If the structure has a shared site, or defeats Robocrystallographer in any other way.
        """
        if not structure.is_ordered:
            raise DescriptionError("a site is shared by several elements or not always occupied")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # oxidation states that cannot be guessed
                return str(self.describer.describe(self.condenser.condense_structure(structure)))
        except Exception as error:  # anything may go wrong inside, from spglib's failures to an empty maximum
            raise DescriptionError(f"Robocrystallographer: {type(error).__name__}: {error}") from error
