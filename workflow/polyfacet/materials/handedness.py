"""Convert crystals with a left-handed basis to a right-handed one.

A CIF states lengths and angles of a cell, which are the same for left-handed and right-handed bases: read
back, a crystal in a left-handed basis would become its own mirror image.
"""

import numpy as np
from pymatgen.core import Lattice, Structure


def is_left_handed(structure: Structure) -> bool:
    """Return whether the lattice vectors form a left-handed system."""
    return bool(np.linalg.det(structure.lattice.matrix) < 0)


def right_handed(structure: Structure) -> Structure:
    """Return a crystal with lattice vectors that form a right-handed system; no atom moves.

    All three vectors of a left-handed basis are inverted, which keeps the lengths and angles of the cell.
    """
    if not is_left_handed(structure):
        return structure
    return Structure(
        Lattice(-structure.lattice.matrix),
        structure.species_and_occu,
        -structure.frac_coords,
        site_properties=structure.site_properties,
    )
