"""The standard cells of a crystal (Setyawan and Curtarolo, doi:10.1016/j.commatsci.2010.05.010).

pymatgen swaps axes to sort their lengths, which turns a chiral crystal into its mirror image if an odd number
of swaps is needed.
"""

from typing import Literal

import numpy as np
from pymatgen.core import DummySpecies, Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from polyfacet.materials.handedness import right_handed

# Marker sites that go through all changes of the cell with the atoms: one, and one next to it along each
# lattice vector.
STEP = 0.01
MARKS = {
    DummySpecies("Xo"): (0, 0, 0),
    DummySpecies("Xa"): (STEP, 0, 0),
    DummySpecies("Xb"): (0, STEP, 0),
    DummySpecies("Xc"): (0, 0, STEP),
}


class _MarkingAnalyzer(SpacegroupAnalyzer):
    """Adds marks to the atoms in the cell from which pymatgen derives the standard cells."""

    def get_refined_structure(self, keep_site_properties: bool = False) -> Structure:
        """Return the conventional cell of the space group's standard setting, with marks."""
        refined = super().get_refined_structure(keep_site_properties)
        for mark, place in MARKS.items():
            refined.append(mark, place, validate_proximity=False)
        return refined


def standard_cell(structure: Structure, cell: Literal["primitive", "conventional"]) -> Structure:
    """Describe a crystal with a standard cell, in a right-handed basis.

    Raises
    ------
    SymmetryUndeterminedError, TypeError, ValueError
        If the symmetry cannot be determined.
    """
    analyzer = _MarkingAnalyzer(right_handed(structure))
    marked = (
        analyzer.get_primitive_standard_structure()
        if cell == "primitive"
        else analyzer.get_conventional_standard_structure()
    )
    is_mirror_image = _turn_of_marks(marked) < 0
    found = marked.copy()
    found.remove_species(list(MARKS))
    if is_mirror_image:
        found = Structure(found.lattice, found.species_and_occu, -found.frac_coords, to_unit_cell=True)
    return right_handed(found)


def _turn_of_marks(marked: Structure) -> float:
    """Return the triple product of the steps between the marks, A^3; initially it is positive."""
    at = [[site for site in marked if mark in site.species] for mark in MARKS]
    origin = at[0][0].frac_coords
    steps = []
    for sites in at[1:]:
        apart = np.array([site.frac_coords for site in sites]) - origin
        vectors = (apart - np.round(apart)) @ marked.lattice.matrix
        steps.append(vectors[np.linalg.norm(vectors, axis=1).argmin()])
    return float(np.linalg.det(steps))
