"""Vacuum in the cell of a molecule, chain or layer, and its removal.

The width of such a cell was chosen for a calculation: drawn as it is, it shows a dot in an empty box.
"""

import numpy as np
from pymatgen.core import Lattice, Structure

from polyfacet.facets.image.bonding import OrderedStructureGraph, unbonded
from polyfacet.materials.vacuum_gaps import MIN_VACUUM_A, plane_gaps

# Distance from the centres of the outermost atoms to the box around them; twice the radius of a sphere.
MARGIN_A = 1.0


def vacuum_of(structure: Structure) -> dict[int, float]:
    """Find the lattice vectors along which a crystal and its periodic images are separated by vacuum.

    The criterion is the widest gap between neighbouring planes of atoms parallel to the other two vectors.

    Parameters
    ----------
    structure
        A crystal with all its sites in the unit cell.

    Returns
    -------
    dict
        Fractional coordinate at which atoms begin again after the gap, keyed by the lattice vector's index.
    """
    matrix = structure.lattice.matrix
    begins = {}
    for axis in range(3):
        across = np.cross(matrix[axis - 2], matrix[axis - 1])
        period = structure.volume / np.linalg.norm(across)  # distance between planes one period apart, A
        planes, gaps = plane_gaps(structure.frac_coords[:, axis])
        widest = int(gaps.argmax())
        if gaps[widest] * period > MIN_VACUUM_A:
            begins[axis] = float(planes[(widest + 1) % len(planes)])
    return begins


def without_vacuum(graph: OrderedStructureGraph, begins: dict[int, float]) -> OrderedStructureGraph:
    """Return the same atoms and bonds in a cell that ends at the outermost atoms where there was vacuum.

    The crystal has no period along the vacuum; the vectors along it become perpendicular to the others, and
    each molecule, chain or layer lies completely inside the new cell along them.

    Parameters
    ----------
    graph
        A crystal with all its sites in the unit cell.  Its bonds across the vacuum, if any, are left out.
    begins
        Its vacuum (see `vacuum_of`).
    """
    structure = graph.structure
    vacuum = list(begins)
    starts = np.array([begins.get(axis, 0.0) for axis in range(3)])
    # Lattice translations subtracted from each site's fractional coordinates: (n, 3).
    shifts = np.floor(structure.frac_coords - starts).astype(int)
    cell, coords = _tight_cell(structure.lattice.matrix, structure.frac_coords - shifts, vacuum)
    wraps = np.floor(coords).astype(int)
    wraps[:, vacuum] = 0
    shifts += wraps
    tight = unbonded(Structure(Lattice(cell), structure.species, coords - wraps))
    tight.bounded_axes = tuple(vacuum)
    for start, end, bond in graph.graph.edges(data=True):
        image = np.array(bond["to_jimage"]) + shifts[end] - shifts[start]
        if not image[vacuum].any():
            tight.add_edge(start, end, to_jimage=tuple(image.tolist()), warn_duplicates=False)
    return tight


def _tight_cell(matrix: np.ndarray, coords: np.ndarray, vacuum: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Fit the lattice vectors listed in ``vacuum`` to the atoms of a cell.

    Returns
    -------
    tuple of numpy.ndarray
        Lattice vectors, shape ``(3, 3)``, A, and the atoms' fractional coordinates, shape ``(n, 3)``.
    """
    cell = matrix.copy()
    fixed = [axis for axis in range(3) if axis not in vacuum]
    for axis in vacuum:
        spanned, _ = np.linalg.qr(cell[fixed].T)
        cell[axis] -= spanned @ (spanned.T @ cell[axis])
        fixed.append(axis)
    coords = coords @ matrix @ np.linalg.inv(cell)
    for axis in vacuum:
        length = np.linalg.norm(cell[axis])
        heights = (coords[:, axis] - coords[:, axis].min()) * length  # A
        new_length = np.ptp(heights) + 2 * MARGIN_A
        coords[:, axis] = (heights + MARGIN_A) / new_length
        cell[axis] *= new_length / length
    return cell, coords
