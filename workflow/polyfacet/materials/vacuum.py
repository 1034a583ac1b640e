"""Detection of atoms on different sides of vacuum.

Layers, chains and molecules are calculated in cells with vacuum between their images.  To be independent of
the choice of cell, the search covers planes of atoms perpendicular to any direction of the reciprocal
lattice, not only planes parallel to two lattice vectors.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Lattice

from polyfacet.materials.crystal import Crystal
from polyfacet.materials.vacuum_gaps import MIN_VACUUM_A, plane_gaps

# Multiples of the reduced reciprocal vectors; they include the planes that are furthest apart.
MULTIPLES = range(-2, 3)


@dataclass(frozen=True, eq=False)
class Vacuum:
    """Gaps without atoms that cut a crystal into pieces.

    Parameters
    ----------
    normals
        Directions across the gaps, in reciprocal vectors of the reduced lattice, shape ``(M, 3)``.
    pieces
        For each direction, index of the piece of each atom in the reduced cell, shape ``(M, N)``.
    n_pieces
        For each direction, number of pieces per period, shape ``(M,)``.
    extent
        Longest distance within a piece, A; infinite unless the pieces are molecules.
    """

    normals: NDArray[np.int64]
    pieces: NDArray[np.int64]
    n_pieces: NDArray[np.int64]
    extent: float

    def separates(
        self, centre: NDArray[np.int64], neighbour: NDArray[np.int64], image: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """Return which pairs, as found by `crystal.periodic_neighbours`, are in different pieces."""
        apart = np.zeros(len(centre), dtype=bool)
        for normal, piece, n_pieces in zip(self.normals, self.pieces, self.n_pieces, strict=True):
            apart |= piece[neighbour] + n_pieces * (image @ normal) != piece[centre]
        return apart


def vacuum_of(crystal: Crystal) -> Vacuum:
    """Find the vacuum in a crystal; bulk crystals have none."""
    reciprocal = Lattice(np.linalg.inv(crystal.reduced_lattice).T)
    basis = np.rint(reciprocal.get_lll_reduced_lattice().matrix @ crystal.reduced_lattice.T).astype(int)
    normals, pieces, n_pieces = [], [], []
    for steps in product(MULTIPLES, repeat=3):
        # Only one of a direction and its reverse is needed; multiples have shorter periods.
        if steps <= (0, 0, 0) or np.gcd.reduce(steps) > 1:
            continue
        normal = np.array(steps) @ basis
        period = 1 / np.linalg.norm(normal @ reciprocal.matrix)  # A
        along = crystal.reduced_coords @ normal
        planes, gaps = plane_gaps(along)
        wide = gaps * period > MIN_VACUUM_A
        if wide.any():
            middles = np.sort((planes[wide] + gaps[wide] / 2) % 1.0)
            normals.append(normal)
            n_pieces.append(len(middles))
            whole = np.floor(along).astype(int)
            pieces.append(np.searchsorted(middles, along - whole) + len(middles) * whole)
    return Vacuum(
        np.array(normals, dtype=np.int64).reshape(-1, 3),
        np.array(pieces, dtype=np.int64).reshape(len(normals), len(crystal)),
        np.array(n_pieces, dtype=np.int64),
        _extent(np.array(normals).reshape(-1, 3) @ reciprocal.matrix),
    )


def _extent(normals: NDArray[np.float64]) -> float:
    """Return a bound on the extent of a piece, A: along each direction it is less than one period."""
    chosen: list[NDArray[np.float64]] = []
    for normal in sorted(normals, key=np.linalg.norm, reverse=True):
        if np.linalg.matrix_rank([*chosen, normal]) > len(chosen):
            chosen.append(normal)
    if len(chosen) < 3:
        return np.inf
    return float(np.linalg.norm(np.linalg.inv(chosen), axis=0).sum())
