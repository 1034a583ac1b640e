"""Descriptors of the symmetry of a crystal."""

import numpy as np

from polyfacet.materials.crystal import Crystal
from polyfacet.materials.crystal_systems import CRYSTAL_SYSTEMS
from polyfacet.materials.symmetry import symmetry_of

# Tolerance of positions, A.
SYMMETRY_WITHIN_A = 0.01
POLAR = frozenset(("1", "2", "3", "4", "6", "m", "mm2", "3m", "4mm", "6mm"))


def symmetry_descriptors(crystal: Crystal) -> dict[str, float]:
    """Return descriptors of the symmetry; those that are answered by yes or no are 1 or 0.

    Parameters
    ----------
    crystal
        Primitive cell.

    Raises
    ------
    SymmetryError
        If the symmetry cannot be determined.
    """
    lattice, coords = crystal.reduced_lattice.tolist(), crystal.reduced_coords.tolist()
    found = symmetry_of(lattice, coords, crystal.atomic_numbers.tolist(), SYMMETRY_WITHIN_A)
    system = next(name for name, highest in CRYSTAL_SYSTEMS.items() if found.number <= highest)
    operations = np.unique(found.rotations, axis=0)
    n_primitive = len(np.unique(found.mapping_to_primitive))
    return {
        **{name: float(name == system) for name in CRYSTAL_SYSTEMS},
        "point group order": float(len(operations)),
        "centrosymmetric": float((operations == -np.eye(3)).all(axis=(1, 2)).any()),
        "polar": float(found.pointgroup in POLAR),
        "only rotations": float((np.linalg.det(operations) > 0).all()),
        "lattice points": len(found.std_types) / n_primitive,
        "primitive atoms": float(n_primitive),
        "inequivalent atoms": float(len(np.unique(found.crystallographic_orbits))),
    }
