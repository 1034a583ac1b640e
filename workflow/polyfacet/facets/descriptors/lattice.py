"""Descriptors of the lattice: density, spacing of the atoms, shape of the cell, vacuum."""

import numpy as np
import spglib
from numpy.typing import NDArray
from pymatgen.core import Element

from polyfacet.facets.descriptors.composition import covalent_radii
from polyfacet.materials.crystal import Crystal
from polyfacet.materials.vacuum import vacuum_of

G_PER_CM3 = 1.66053906660  # of one u/A^3
# Tolerance of the reduction, in units of the lattice vectors.
REDUCED_WITHIN = 1e-5


def lattice_descriptors(crystal: Crystal) -> dict[str, float]:
    """Return descriptors of the lattice and the density.

    Parameters
    ----------
    crystal
        Primitive cell.

    Raises
    ------
    ValueError
        If the lattice cannot be reduced.
    """
    masses = [float(Element.from_Z(int(number)).atomic_mass) for number in crystal.atomic_numbers]
    a, b, c = _shortest_lengths(crystal)
    return {
        "density": sum(masses) / crystal.volume * G_PER_CM3,
        # Not the volume itself: that is an objective, and a number that follows an objective is refused.
        "spacing": (crystal.volume / len(crystal)) ** (1 / 3),
        "covalent packing": packing_fraction(crystal, covalent_radii(crystal.atomic_numbers)),
        "a": a,
        "b": b,
        "c": c,
        "b/a": b / a,
        "c/a": c / a,
        "orthogonality": crystal.volume / (a * b * c),
        "vacuum directions": float(_vacuum_directions(crystal)),
    }


def packing_fraction(crystal: Crystal, radii: NDArray[np.float64]) -> float:
    """Return the volume of spheres around the atoms per volume; overlaps count twice.

    Parameters
    ----------
    crystal
        Any cell.
    radii
        Radius of each atom, A, shape ``(N,)``.
    """
    return float(4 / 3 * np.pi * np.sum(radii**3) / crystal.volume)


def _shortest_lengths(crystal: Crystal) -> list[float]:
    """Return the lengths, A, of the three shortest independent lattice vectors, those of the Niggli cell.

    Unlike the angles of that cell, they change continuously with the lattice.
    """
    try:
        found = spglib.niggli_reduce(crystal.reduced_lattice.tolist(), eps=REDUCED_WITHIN)
    except spglib.SpglibError as error:
        raise ValueError(f"the lattice cannot be reduced: {error}") from error
    if found is None:
        raise ValueError("the lattice cannot be reduced")
    return sorted(np.linalg.norm(found, axis=1).tolist())


def _vacuum_directions(crystal: Crystal) -> int:
    """Return the number of independent directions across vacuum: 1 for a layer, 2 for a chain."""
    normals = vacuum_of(crystal).normals
    return int(np.linalg.matrix_rank(normals)) if len(normals) else 0
