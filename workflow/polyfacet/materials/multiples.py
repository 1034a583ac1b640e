"""Multiples of a small cell that may equal a larger one, apart from displaced atoms.

The primitive cell of such a larger cell is not found, because its sites do not repeat accurately enough.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Structure

from polyfacet.materials.quick_look import Tolerances
from polyfacet.materials.twin_cells import may_repeat

# Largest ratio of distances in two lattices that match within the tolerances.
STRAIN = 1.05
# Vectors of the small lattice that are no longer than those of the larger one: the number of mappings
# between the lattices grows with their square.  A compact cell of 500 sites has some thousands.
MAX_VECTORS = 10_000


def may_be_multiple(crystal: Structure, within_a: float) -> bool:
    """Return whether a crystal may be a multiple of a smaller cell with atoms displaced; False is certain.

    Parameters
    ----------
    crystal
        The crystal in any cell.
    within_a
        Largest displacement of an atom, A.
    """
    lattice = crystal.lattice.get_lll_reduced_lattice()
    # The component of a vector along an oblique axis may be longer than the vector.
    slant = max(np.multiply(lattice.abc, lattice.reciprocal_lattice_crystallographic.abc))
    return may_repeat(crystal, 2 * STRAIN * slant * within_a)


def multiples(crystal: Structure, larger: Structure, within: Tolerances) -> Iterator[Structure]:
    """Repeat a cell in all ways that match the lattice of a larger cell within the tolerances.

    If the larger cell is very long or wide, nothing is yielded.

    Parameters
    ----------
    crystal
        The cell.
    larger
        A cell with a multiple of its sites, in the reduced setting.
    within
        Tolerances of the lattice.

    Yields
    ------
    Structure
        Cells with as many sites as the larger one, in the reduced setting.
    """
    if 4 / 3 * np.pi * max(larger.lattice.abc) ** 3 > MAX_VECTORS * crystal.volume:
        return
    n_cells = len(larger) // len(crystal)
    seen: set[bytes] = set()
    for _, _, matrix in crystal.lattice.find_all_mappings(
        larger.lattice, ltol=within.length, atol=within.angle_deg, skip_rotation_matrix=True
    ):
        if round(abs(np.linalg.det(matrix))) != n_cells:
            continue
        standard = _hermite(matrix)
        if standard.tobytes() not in seen:
            seen.add(standard.tobytes())
            yield crystal.make_supercell(standard, in_place=False).get_reduced_structure("niggli")


def _hermite(matrix: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the Hermite normal form, which is the same for all bases of one lattice."""
    rows = np.array(matrix)
    for column in range(3):
        while np.count_nonzero(rows[column:, column]) > 1 or not rows[column, column]:
            left = np.abs(rows[column:, column])
            smallest = column + int(np.argmin(np.where(left, left, left.max() + 1)))
            rows[[column, smallest]] = rows[[smallest, column]]
            below = rows[column + 1 :]
            below -= np.outer(below[:, column] // rows[column, column], rows[column])
        rows[column] *= np.sign(rows[column, column])
        rows[:column] -= np.outer(rows[:column, column] // rows[column, column], rows[column])
    return rows
