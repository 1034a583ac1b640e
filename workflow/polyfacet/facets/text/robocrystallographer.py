"""The description of a structure in English sentences, by Robocrystallographer.

Ganose and Jain, "Robocrystallographer: automated crystal structure text descriptions and analysis",
MRS Communications 9, 874 (2019).
"""

import warnings

from pymatgen.core import Structure

from polyfacet.facets.text.robocrys_compat import StructureCondenser, StructureDescriber
from polyfacet.runtime.machine_failures import raise_machine_failure


class DescriptionError(ValueError):
    """Robocrystallographer cannot describe a structure; the message is the reason."""


class Describer:
    """Describes structures; holds the prototype library that every structure is compared with."""

    def __init__(self) -> None:
        self.condenser = StructureCondenser()
        self.describer = StructureDescriber()

    def __call__(self, structure: Structure) -> str:
        """Describe a structure: prototype, symmetry, and the environment of each inequivalent site.

        Raises
        ------
        DescriptionError
            If a site is shared or partially occupied, or Robocrystallographer fails for any other reason.
        """
        if not structure.is_ordered:
            raise DescriptionError("a site is shared by several elements or not always occupied")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # oxidation states that cannot be guessed
                return str(self.describer.describe(self.condenser.condense_structure(structure)))
        except Exception as error:  # anything can fail inside, from spglib to the maximum of an empty list
            raise_machine_failure(error)
            raise DescriptionError(f"Robocrystallographer: {type(error).__name__}: {error}") from error
