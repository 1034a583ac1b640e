"""The local graph of a crystal: each atom with its nearest neighbours, in complete shells.

A graph of exactly the k nearest neighbours is ambiguous if the k-th and the next are equally far away:
floating-point noise decides, and a rotation changes the edges.  Here a shell is included completely or not at
all.
"""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from polyfacet.materials.crystal import Crystal, periodic_neighbours
from polyfacet.materials.vacuum import Vacuum, vacuum_of

# Distances that differ by less than this belong to the same shell.
SHELL_TOLERANCE_A = 1e-3
# Factor by which the search radius grows if too few neighbours were found.
SEARCH_GROWTH = 1.3


@dataclass(frozen=True, eq=False)
class LocalGraph:
    """Directed edges; each comes from one periodic image of its source.

    Parameters
    ----------
    source, target
        Indices of the atoms, shape ``(E,)``; messages run from source to target.
    distance
        Shape ``(E,)``, A.
    """

    source: NDArray[np.int64]
    target: NDArray[np.int64]
    distance: NDArray[np.float64]


def local_graph(
    crystal: Crystal,
    neighbours: int = 16,
    min_radius: float = 0.0,
    multiplicity: Literal[1, 2] = 2,
    *,
    across_vacuum: bool = True,
) -> LocalGraph:
    """Connect each atom with its nearest neighbours.

    Parameters
    ----------
    crystal
        The crystal.
    neighbours
        Minimum number of neighbours that an atom chooses; more if needed to complete a shell.
    min_radius
        Every neighbour within this radius is chosen as well, A.  The published graphs use 0, so that
        ``neighbours`` alone decides.
    multiplicity
        An edge joins two atoms if at least one of them has chosen the other.  With 2, each choice adds an
        edge in both directions, so that mutual edges count twice, as in the published graphs; with 1, every
        edge counts once in each direction.
    across_vacuum
        Whether atoms on different sides of vacuum can be neighbours, as in the published graphs.  If not, the
        atoms of a molecule have at most the other atoms of the molecule as neighbours.

    Returns
    -------
    LocalGraph
        Ordered by target, distance and source.
    """
    centre, neighbour, image, distance = _chosen_neighbours(
        crystal, neighbours, min_radius, None if across_vacuum else vacuum_of(crystal)
    )
    source = np.concatenate([neighbour, centre])
    target = np.concatenate([centre, neighbour])
    distance = np.concatenate([distance, distance])
    if multiplicity == 1:
        edges = np.column_stack([source, target, np.concatenate([image, -image])])
        _, first = np.unique(edges, axis=0, return_index=True)
        source, target, distance = source[first], target[first], distance[first]
    order = np.lexsort((source, distance, target))
    return LocalGraph(source[order], target[order], distance[order])


def _chosen_neighbours(
    crystal: Crystal, neighbours: int, min_radius: float, vacuum: Vacuum | None
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Search outwards until the last shell of every atom is complete, or there are no more atoms."""
    density = len(crystal) / crystal.volume
    extent = math.inf if vacuum is None else vacuum.extent
    radius = max(min_radius, SEARCH_GROWTH * math.cbrt(3 * neighbours / (4 * math.pi * density)))
    while True:
        radius += 2 * SHELL_TOLERANCE_A
        centre, neighbour, image, distance = periodic_neighbours(crystal, radius)
        if vacuum is not None:
            near = ~vacuum.separates(centre, neighbour, image)
            centre, neighbour, image, distance = centre[near], neighbour[near], image[near], distance[near]
        cutoffs = _shell_cutoffs(centre, distance, len(crystal), neighbours, min_radius)
        if cutoffs.max() + SHELL_TOLERANCE_A < radius or extent < radius:
            chosen = distance <= cutoffs[centre]
            return centre[chosen], neighbour[chosen], image[chosen], distance[chosen]
        radius *= SEARCH_GROWTH


def _shell_cutoffs(
    centre: NDArray[np.int64],
    distance: NDArray[np.float64],
    n_atoms: int,
    neighbours: int,
    min_radius: float,
) -> NDArray[np.float64]:
    """Return the radius of each atom's last shell, A; infinity where too few neighbours were found."""
    order = np.lexsort((distance, centre))
    per_atom = np.split(distance[order], np.cumsum(np.bincount(centre, minlength=n_atoms))[:-1])
    return np.array([_shell_cutoff(distances, neighbours, min_radius) for distances in per_atom])


def _shell_cutoff(distances: NDArray[np.float64], neighbours: int, min_radius: float) -> float:
    if len(distances) < neighbours:
        return math.inf
    # The last neighbour that must be included: the k-th, or the last one within the radius.
    last = max(neighbours, int(np.searchsorted(distances, min_radius, side="right"))) - 1
    gaps = np.flatnonzero(np.diff(distances[last:]) > SHELL_TOLERANCE_A)
    return float(distances[last + gaps[0]] if len(gaps) else distances[-1])
