"""Lattices whose vectors form a left-handed system: the same crystal in a right-handed one.

A CIF states lengths and angles of a cell, which do not tell a left-handed basis from a right-handed one: read
back, a crystal in a left-handed basis would be its own mirror image.
"""

import numpy as np
from pymatgen.core import Lattice, Structure


def is_left_handed(structure: Structure) -> bool:
    """Tell whether the lattice vectors form a left-handed system."""
    return bool(np.linalg.det(structure.lattice.matrix) < 0)


def right_handed(structure: Structure) -> Structure:
    """Describe a crystal with lattice vectors that form a right-handed system; no atom moves.

    A left-handed basis is turned round, all three vectors, which keeps the lengths and angles of the cell.
    """
    if not is_left_handed(structure):
        return structure
    return Structure(
        Lattice(-structure.lattice.matrix),
        structure.species_and_occu,
        -structure.frac_coords,
        site_properties=structure.site_properties,
    )
