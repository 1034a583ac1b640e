"""Neighbourhoods of the sites of a cell."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Lattice, Structure

from polyfacet.materials.periodic_points import PeriodicPoints

# Neighbours kept per site, and how far they are searched for, in units of the cube root of the volume per
# site: a dense crystal has about this many within that distance.
N_NEIGHBOURS = 24
REACH = 1.8


@dataclass(frozen=True)
class Neighbourhoods:
    """The sites of a cell with their nearest neighbours.

    Parameters
    ----------
    lattice
        Lattice of the cell.
    kinds
        Elements on each site, as an index into ``names``, shape ``(N,)``.
    names
        Distinct sets of elements on a site.
    vectors
        Vectors to the neighbours, A, shape ``(N, n, 3)``; infinite where there is no neighbour.
    lengths
        Distances to the neighbours in ascending order, A, shape ``(N, n)``; infinite where there is none.
    neighbour_kinds
        Elements on the neighbours, as an index into ``names``, shape ``(N, n)``; -1 where there is none.
    reach
        Distance within which all neighbours of a site are known, A, shape ``(N,)``.
    coords
        Fractional coordinates of the sites, shape ``(N, 3)``.
    sites
        For each set of elements, the sites that hold it, searchable by distance along the face normals.
    """

    lattice: Lattice
    kinds: NDArray[np.int64]
    names: tuple[tuple[str, ...], ...]
    vectors: NDArray[np.float32]
    lengths: NDArray[np.float32]
    neighbour_kinds: NDArray[np.int16]
    reach: NDArray[np.float64]
    coords: NDArray[np.float64]
    sites: tuple[PeriodicPoints, ...]


def neighbourhoods(crystal: Structure) -> Neighbourhoods:
    """Find the neighbours of all sites of a cell."""
    coords = crystal.frac_coords
    elements = [tuple(sorted(element.symbol for element in site.species.elements)) for site in crystal]
    names = tuple(sorted(set(elements)))
    kinds = np.array([names.index(name) for name in elements])
    radius = REACH * (crystal.volume / len(crystal)) ** (1 / 3)
    found = crystal.get_neighbor_list(radius)
    centers, points, images, lengths = (part[np.lexsort((found[3], found[0]))] for part in found)
    place = np.arange(len(centers)) - np.searchsorted(centers, centers)
    reach = np.full(len(crystal), radius)
    # Further neighbours may be as far away as the last one that is kept.
    is_last = place == N_NEIGHBOURS - 1
    reach[centers[is_last]] = lengths[is_last]
    is_kept = place < N_NEIGHBOURS
    where = centers[is_kept], place[is_kept]
    # In single precision, because thousands of cells are in memory at once.
    vectors = np.full((len(crystal), N_NEIGHBOURS, 3), np.inf, np.float32)
    vectors[where] = (coords[points] + images - coords[centers])[is_kept] @ crystal.lattice.matrix
    neighbour_kinds = np.full(vectors.shape[:2], -1, np.int16)
    neighbour_kinds[where] = kinds[points[is_kept]]
    spacings = 1 / np.array(crystal.lattice.reciprocal_lattice_crystallographic.abc)
    sites = tuple(PeriodicPoints(coords[kinds == kind], spacings) for kind in range(len(names)))
    return Neighbourhoods(
        lattice=crystal.lattice,
        kinds=kinds,
        names=names,
        vectors=vectors,
        lengths=np.linalg.norm(vectors, axis=-1),
        neighbour_kinds=neighbour_kinds,
        reach=reach,
        coords=coords,
        sites=sites,
    )
