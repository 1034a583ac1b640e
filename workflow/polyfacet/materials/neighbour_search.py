"""Search for atoms near each other in a periodic crystal, given in any cell."""

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Lattice
from pymatgen.optimization.neighbors import find_points_in_spheres

# The search divides the box around the cell into cubes as wide as its radius; more cubes only cost memory.
MAX_CUBES = 1e6

Pairs = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]


def reduced(lattice: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return short, nearly orthogonal vectors of the same lattice (Lenstra, Lenstra and Lovasz), A."""
    return np.array(Lattice(lattice).get_lll_reduced_lattice().matrix)


def inside(lattice: NDArray[np.float64], positions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the fractional positions in a cell, from 0 to 1, of Cartesian ones, A, both ``(N, 3)``."""
    return np.asarray(positions @ np.linalg.inv(lattice) % 1.0, dtype=np.float64)


def least_radius(volume: float) -> float:
    """Return the smallest search radius, A, that does not exhaust memory for a cell of a volume, A^3."""
    return float((volume / MAX_CUBES) ** (1 / 3))


def pairs_within(lattice: NDArray[np.float64], coords: NDArray[np.float64], radius: float) -> Pairs:
    """Find all pairs of atoms within a radius, including periodic images but not an atom with itself.

    Parameters
    ----------
    lattice
        Reduced lattice vectors as rows, shape ``(3, 3)``, A.
    coords
        Fractional positions in the cell, shape ``(N, 3)``; far outside it, the search is very slow.
    radius
        A; see `least_radius`.

    Returns
    -------
    tuple
        Index of the central atom, index of its neighbour, the neighbour's image (shape ``(pairs, 3)``, in
        lattice vectors) and the distance, A.
    """
    if np.prod(np.abs(lattice).sum(axis=0) / radius + 1) > MAX_CUBES:
        lattice = _upright(lattice)
    positions = np.ascontiguousarray(coords @ lattice)
    centre, neighbour, image, distance = find_points_in_spheres(
        all_coords=positions,
        center_coords=positions,
        r=radius,
        pbc=np.ones(3, dtype=np.int64),
        lattice=np.ascontiguousarray(lattice),
    )
    image = np.rint(image).astype(np.int64)
    other = (centre != neighbour) | image.any(axis=1)
    return centre[other], neighbour[other], image[other], distance[other]


def _upright(lattice: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rotate a lattice so that its longest vector is along x and the next one in the xy plane.

    The box around a long, tilted cell is a thousand times as large as the cell.
    """
    order = np.argsort(-np.linalg.norm(lattice, axis=1))
    turned = np.empty_like(lattice)
    turned[order] = np.linalg.qr(lattice[order].T)[1].T
    return turned
