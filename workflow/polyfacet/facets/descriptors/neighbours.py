"""Descriptors of the neighbourhoods of the atoms."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polyfacet.facets.descriptors.composition import covalent_radii, electronegativities
from polyfacet.facets.descriptors.lattice import packing_fraction
from polyfacet.materials.crystal import Crystal, periodic_neighbours
from polyfacet.materials.neighbour_search import least_radius

Array = NDArray[np.float64]

# First radius of the search, A.
NEAR_A = 4.0
# Neighbours at this multiple of an atom's nearest distance have a weight of 3e-5.
REACH = 1.5
# An atom further from all others is not part of a crystal; the search would find millions of pairs.
FAR_A = 30.0


@dataclass(frozen=True)
class _Pairs:
    """Pairs of near atoms: indices of both, their distance, A, and how much of a neighbour the second is."""

    centre: NDArray[np.int64]
    neighbour: NDArray[np.int64]
    distance: Array
    weight: Array


def neighbour_descriptors(crystal: Crystal) -> dict[str, float]:
    """Return statistics of the neighbourhoods over the atoms of a crystal.

    Neighbours are weighted as in the effective coordination number of Hoppe (1979), so that no threshold
    decides which atoms are neighbours.

    Parameters
    ----------
    crystal
        Primitive cell.

    Raises
    ------
    ValueError
        If an atom is far from all others.
    """
    pairs = _weighted(crystal)
    numbers = crystal.atomic_numbers
    radii, negativity = covalent_radii(numbers), electronegativities(numbers)
    nearest = _nearest(pairs.centre, pairs.distance, len(crystal))
    coordination: Array = np.bincount(pairs.centre, pairs.weight, len(crystal)).astype(np.float64)

    def averaged(values: Array) -> Array:
        sums = np.bincount(pairs.centre, pairs.weight * values, len(crystal))
        return np.asarray(sums / coordination, dtype=np.float64)

    first, second = pairs.centre, pairs.neighbour
    by_atom: dict[str, Array] = {
        "nearest distance": nearest,
        "bond length": averaged(pairs.distance / (radii[first] + radii[second])),
        "coordination": coordination,
        "unlike neighbours": averaged((numbers[first] != numbers[second]).astype(float)),
        "electronegativity step": averaged(np.abs(negativity[first] - negativity[second])),
    }
    return {
        "touching packing": packing_fraction(crystal, nearest / 2),
        **{
            f"{statistic} {name}": value
            for name, values in by_atom.items()
            for statistic, value in _statistics(values).items()
        },
    }


def _statistics(values: Array) -> dict[str, float]:
    mean = float(values.mean())
    return {
        "mean": mean,
        "avg_dev": float(np.abs(values - mean).mean()),
        "minimum": float(values.min()),
        "maximum": float(values.max()),
    }


def _weighted(crystal: Crystal) -> _Pairs:
    """Find the neighbours of all atoms with their weights: 1 at the mean bond length of the atom."""
    centre, neighbour, distance = _near(crystal)
    nearest = _nearest(centre, distance, len(crystal))
    rough = np.exp(1 - (distance / nearest[centre]) ** 6)
    length = np.bincount(centre, rough * distance) / np.bincount(centre, rough)
    return _Pairs(centre, neighbour, distance, np.exp(1 - (distance / length[centre]) ** 6))


def _near(crystal: Crystal) -> tuple[NDArray[np.int64], NDArray[np.int64], Array]:
    """Find all pairs up to ``REACH`` times the nearest distance of the loneliest atom."""
    radius = max(NEAR_A, least_radius(crystal.volume))
    while radius <= FAR_A:
        centre, neighbour, _, distance = periodic_neighbours(crystal, radius)
        needed = REACH * float(_nearest(centre, distance, len(crystal)).max())
        if needed <= radius:
            return centre, neighbour, distance
        radius = min(needed, 2 * radius)
    raise ValueError(f"an atom has no neighbour within {FAR_A / REACH:g} A")


def _nearest(centre: NDArray[np.int64], distance: Array, n_atoms: int) -> Array:
    """Return the distance of the nearest neighbour of each atom, A; infinite where none was found."""
    nearest = np.full(n_atoms, np.inf)
    np.minimum.at(nearest, centre, distance)
    return nearest
