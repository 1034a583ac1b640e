"""Whether neighbour searches can handle a cell, and whether its atoms overlap or are all far apart."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array

from polyfacet.materials.neighbour_search import inside, least_radius, pairs_within, reduced

# No crystal is nearly as dense, and no atom as close to its own image.  In such cells, neighbour searches
# exhaust time and memory.
MIN_VOLUME_PER_SITE_A3 = 0.5
MIN_PERIOD_A = 0.5
# The shortest bond, that of hydrogen, is 0.74 A long.
OVERLAP_A = 0.5
# In any crystal, chain, layer or molecule, whatever its vacuum, some atoms are closer.  Lengths in picometres
# are larger even between atoms of hydrogen.
ISOLATED_A = 50.0
# Nearly all atoms have a neighbour within this distance.
BONDED_A = 4.0
# Above this, the search for neighbours is faster than comparing all pairs.
MAX_SITES_COMPARED = 150
# Of very many close sites, a matrix for all pairs would not fit into memory.
PAIRS_AT_A_TIME = 1000
# Occupancies of an atom's alternative positions add up to 1 within their rounding.
MORE_THAN_ONE = 1.05


class SpacingError(ValueError):
    """A cell whose atoms are too close to each other; the message is the reason."""


def spaced_lattice(matrix: NDArray[np.float64], n_sites: int) -> NDArray[np.float64]:
    """Return short vectors of a lattice, A, after checking that neighbour searches in it finish.

    Parameters
    ----------
    matrix
        Lattice vectors as rows, shape ``(3, 3)``, A.
    n_sites
        Sites in the cell.

    Raises
    ------
    SpacingError
        If it repeats at too short a distance, or has too little volume per site.
    """
    lattice = reduced(matrix)
    period = np.linalg.norm(lattice, axis=1).min()
    if period < MIN_PERIOD_A:
        raise SpacingError(f"the lattice repeats every {period:.3g} A, less than {MIN_PERIOD_A} A")
    per_site = abs(np.linalg.det(matrix)) / n_sites
    if per_site < MIN_VOLUME_PER_SITE_A3:
        raise SpacingError(f"{per_site:.3g} A^3 per site, less than {MIN_VOLUME_PER_SITE_A3} A^3")
    return lattice


def check_overlaps(
    matrix: NDArray[np.float64], positions: NDArray[np.float64], occupancies: NDArray[np.float64]
) -> None:
    """Reject a cell in which two atoms are closer than any bond.

    Alternative positions of one atom may be close: the occupancies of those that are close to each other add
    up to no more than 1.

    Parameters
    ----------
    matrix
        Lattice vectors as rows, shape ``(3, 3)``, A.
    positions
        Fractional coordinates, shape ``(N, 3)``.
    occupancies
        Atoms per site, shape ``(N,)``.

    Raises
    ------
    SpacingError
        If atoms overlap, or see `spaced_lattice`.
    """
    first, second, distances = close_pairs(matrix, positions)
    if not len(distances):
        return
    together = occupancies[first] + occupancies[second]
    pair = _closest(distances, together > MORE_THAN_ONE)
    if pair is not None:
        sites = f"{first[pair]} and {second[pair]}"
        raise SpacingError(f"the atoms of sites {sites} overlap: they are {distances[pair]:.3g} A apart")
    together += _close_to_both(first, second, occupancies)
    pair = _closest(distances, together > MORE_THAN_ONE)
    if pair is not None:
        raise SpacingError(
            f"the atoms of sites {first[pair]}, {second[pair]} and others overlap: they are less than "
            f"{OVERLAP_A} A apart, and their occupancies add up to {together[pair]:.3g}"
        )


def close_pairs(
    matrix: NDArray[np.float64], positions: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Return pairs of sites of which images are less than ``OVERLAP_A`` apart, the lower index first.

    Parameters
    ----------
    matrix
        Lattice vectors as rows, shape ``(3, 3)``, A.
    positions
        Fractional coordinates, shape ``(N, 3)``.

    Returns
    -------
    tuple
        Indices of the first and of the second sites, and their distances, A.

    Raises
    ------
    SpacingError
        See `spaced_lattice`.
    """
    if len(positions) <= MAX_SITES_COMPARED and _are_surely_apart(matrix, positions):
        return np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)
    lattice = spaced_lattice(matrix, len(positions))
    radius = max(OVERLAP_A, least_radius(abs(np.linalg.det(matrix))))
    first, second, _, distances = pairs_within(lattice, inside(lattice, positions @ matrix), radius)
    # No image of a site is this close to it: the lattice does not repeat within the distance.
    once = (distances < OVERLAP_A) & (first < second)
    return first[once], second[once], distances[once]


def _closest(distances: NDArray[np.float64], meant: NDArray[np.bool_]) -> int | None:
    """Return the pair with the shortest distance of those that are meant; None if none is."""
    found = np.flatnonzero(meant)
    return int(found[distances[found].argmin()]) if len(found) else None


def _close_to_both(
    first: NDArray[np.int64], second: NDArray[np.int64], occupancies: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return, for each close pair, how many atoms are on the sites that are close to both."""
    n_sites = len(occupancies)
    ends = np.concatenate([first, second]), np.concatenate([second, first])
    close = coo_array((np.ones(len(ends[0])), ends), shape=(n_sites, n_sites)).tocsr()
    # Several images of a pair count once.
    close.data[:] = 1.0
    found = np.empty(len(first))
    for start in range(0, len(first), PAIRS_AT_A_TIME):
        some = slice(start, start + PAIRS_AT_A_TIME)
        found[some] = close[first[some]].multiply(close[second[some]]) @ occupancies
    return found


def check_isolation(matrix: NDArray[np.float64], positions: NDArray[np.float64]) -> None:
    """Reject a cell in which all atoms, and their images, are far apart: its unit is not A.

    Parameters
    ----------
    matrix
        Lattice vectors as rows, shape ``(3, 3)``, A.
    positions
        Fractional coordinates, shape ``(N, 3)``.

    Raises
    ------
    SpacingError
        If no two atoms are closer than ``ISOLATED_A``.
    """
    # No packing of spheres is denser than cubic close packing: in nearly all cells some atoms are closer.
    per_site = abs(np.linalg.det(matrix)) / len(positions)
    if (np.sqrt(2) * per_site) ** (1 / 3) < ISOLATED_A:
        return
    lattice = reduced(matrix)
    places = inside(lattice, positions @ matrix)
    least = least_radius(abs(np.linalg.det(matrix)))
    # Large molecules have very many pairs within the larger radius.
    for radius in (BONDED_A, ISOLATED_A):
        *_, distances = pairs_within(lattice, places, max(radius, least))
        if (distances < ISOLATED_A).any():
            return
    if len(positions) == 1:
        raise SpacingError(
            f"the only atom is more than {ISOLATED_A:g} A from its periodic images: it is a free atom, not a "
            "crystal, or lengths are in picometres. They must be in A"
        )
    raise SpacingError(
        f"all atoms are more than {ISOLATED_A:g} A apart: are lengths in picometres? They must be in A"
    )


def _are_surely_apart(matrix: NDArray[np.float64], positions: NDArray[np.float64]) -> bool:
    """Return whether no images of two sites can be close, by the distances of lattice planes.

    Two points are at least as far apart as the planes through them; this quick test decides for nearly all
    crystals.
    """
    if abs(np.linalg.det(matrix)) < MIN_VOLUME_PER_SITE_A3 * len(positions):
        return False
    spacings = 1 / np.linalg.norm(np.linalg.inv(matrix), axis=0)
    apart = positions[:, None] - positions[None]
    apart = (np.abs(apart - np.round(apart)) * spacings).max(axis=2)
    np.fill_diagonal(apart, spacings.min())
    return bool(apart.min() >= OVERLAP_A)
