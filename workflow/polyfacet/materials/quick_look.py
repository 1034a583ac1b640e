"""A quick proof that two crystals do not match: what one site has around it, no site of the other has.

StructureMatcher pairs the sites of two cells so that, after the best translation, no pair is further apart
than its tolerance.  So the vectors from one site to all others and those of its partner differ by no more
than twice that, in one of the ways to lay one lattice on the other, and so do their differences from each
other.  Where this fails for all sites that could be the partner of one site, the crystals do not match.
Where each site has only one that near, the pairs are the matcher's, and so is the best translation: the rest
of the distances is then compared with the tolerance itself.  Where all this holds, nothing is proved.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Lattice

from polyfacet.materials.neighbourhoods import Neighbourhoods
from polyfacet.materials.periodic_points import PeriodicPoints

# Sites of which the one with the fewest possible partners is looked at.
N_ANCHORS = 32
# Sites that nearly always tell that a place does not fit.
N_PROBES = 16
# For the last digits, of which single precision has seven.
MARGIN_A = 1e-3
MAX_CACHED_LATTICES = 4096


@dataclass(frozen=True)
class Tolerances:
    """What StructureMatcher allows: see there for ``ltol``, ``angle_tol`` and ``stol``."""

    length: float
    angle_deg: float
    site: float


@dataclass(frozen=True)
class _Mapping:
    """One way to lay a lattice on another.

    Parameters
    ----------
    matrix
        The first lattice in the vectors that lie on the second one's, A.
    mean
        The mean of both lattices, in which the matcher measures, A.
    within
        Factor that takes a fraction of a cell's length to the longest distance that it may have, A.
    strain
        By what share vectors are longer or shorter in one of the lattices than in the other.
    """

    matrix: NDArray[np.float64]
    mean: NDArray[np.float64]
    within: float
    strain: float


@dataclass
class Effort:
    """What quick looks may cost together.

    Attributes
    ----------
    n_sites_left
        Sites for which the only one near is looked for.
    n_neighbours_left
        Neighbours that are looked for beside all possible partners of a site.
    """

    n_sites_left: float = math.inf
    n_neighbours_left: float = math.inf


def may_match(
    first: Neighbourhoods, second: Neighbourhoods, tolerances: Tolerances, effort: Effort | None = None
) -> bool:
    """Tell whether StructureMatcher may find that two cells of as many sites match; it need not.

    Where no effort is left, pairs of sites need only be near, whatever the best translation is, or all cells
    of one composition may match.
    """
    effort = effort or Effort()
    if first.names != second.names or not np.array_equal(np.sort(first.kinds), np.sort(second.kinds)):
        return False
    if effort.n_neighbours_left <= 0:
        return True
    mappings = _mappings(first.lattice.matrix.tobytes(), second.lattice.matrix.tobytes(), tolerances)
    if not mappings:
        return False
    site = tolerances.site / len(first.kinds) ** (1 / 3)
    site_within = 2 * site
    widest_a = max(mapping.within for mapping in mappings) * site_within + MARGIN_A
    anchor, partners = _most_particular(first, second, widest_a, max(mapping.strain for mapping in mappings))
    if not len(partners):
        return False
    for mapping in mappings:
        where = second, anchor, mapping.matrix, mapping.within * site_within + MARGIN_A
        left = _with_neighbours_of(first, partners, *where, effort)
        if any(_fits(first, int(partner), second, anchor, mapping, site, effort) for partner in left):
            return True
    return False


@lru_cache(maxsize=MAX_CACHED_LATTICES)
def _mappings(first: bytes, second: bytes, tolerances: Tolerances) -> list[_Mapping]:
    """Lay one lattice on another in all ways; cells of one simulation share their lattices."""
    ours, theirs = (Lattice(np.frombuffer(matrix).reshape(3, 3)) for matrix in (first, second))
    found = []
    for lattice, _, scale in ours.find_all_mappings(
        theirs, ltol=tolerances.length, atol=tolerances.angle_deg, skip_rotation_matrix=True
    ):
        if round(abs(np.linalg.det(scale))) != 1:
            continue
        mean = Lattice.from_parameters(*(np.add(lattice.parameters, theirs.parameters) / 2))
        stretch = np.linalg.norm(np.linalg.inv(mean.matrix) @ lattice.matrix, 2)
        stretches = np.linalg.svd(np.linalg.inv(theirs.matrix) @ lattice.matrix, compute_uv=False)
        strain = max(stretches.max(), 1 / stretches.min()) - 1
        within = float(stretch * mean.volume ** (1 / 3))
        found.append(_Mapping(lattice.matrix, mean.matrix, within, float(strain)))
    return found


def _most_particular(
    first: Neighbourhoods, second: Neighbourhoods, within_a: float, strain: float
) -> tuple[int, NDArray[np.int64]]:
    """Find the site of the second cell with the fewest possible partners in the first, and these.

    Distances to the neighbours tell, in order: where all neighbours differ little, so does the n-th distance.
    """
    rarest = int(np.argmin(np.bincount(first.kinds)))
    (partners,) = np.nonzero(first.kinds == rarest)
    anchors = np.nonzero(second.kinds == rarest)[0][:N_ANCHORS]
    ours, ours_known = _at_least(first, partners)
    theirs, theirs_known = _at_least(second, anchors)
    theirs, theirs_known = theirs[:, None], theirs_known[:, None]
    margins = within_a + strain * theirs
    differ = (theirs_known & (ours > theirs + margins)) | (ours_known & (ours < theirs - margins))
    may_be = ~np.any(differ, axis=-1)
    best = int(np.argmin(np.sum(may_be, axis=1)))
    return int(anchors[best]), partners[may_be[best]]


def _at_least(
    cell: Neighbourhoods, sites: NDArray[np.int64]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return the distances of neighbours, and which are known: the others are longer than that."""
    lengths = cell.lengths[sites]
    known = np.isfinite(lengths)
    return np.where(known, lengths, cell.reach[sites][:, None]), known


def _with_neighbours_of(
    first: Neighbourhoods,
    partners: NDArray[np.int64],
    second: Neighbourhoods,
    anchor: int,
    matrix: NDArray[np.float64],
    within_a: float,
    effort: Effort,
) -> NDArray[np.int64]:
    """Select the sites that may have the neighbours of the anchor, for one way to lay the lattices."""
    to_first = np.linalg.inv(second.lattice.matrix) @ matrix
    steps = np.empty((len(partners), 0, 3))
    for vector, kind in zip(second.vectors[anchor], second.neighbour_kinds[anchor], strict=True):
        if kind < 0 or not len(partners):
            break
        effort.n_neighbours_left -= 1
        expected = vector @ to_first
        offsets = first.vectors[partners] - expected
        is_there = np.linalg.norm(offsets, axis=-1) <= within_a
        is_there &= first.neighbour_kinds[partners] == kind
        # A neighbour that is further away than all are known of may be there.
        unknown = np.linalg.norm(expected) + within_a >= first.reach[partners] - MARGIN_A
        step = _only(offsets, is_there & ~unknown[:, None])[:, None]
        differ = np.any(np.linalg.norm(steps - step, axis=-1) > within_a, axis=1)
        is_left = (is_there.any(axis=1) | unknown) & ~differ
        partners, steps = partners[is_left], np.concatenate([steps, step], axis=1)[is_left]
    return partners


def _only(offsets: NDArray[np.float32], is_there: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Select the one offset of each row that is there; not a number where there are none or several."""
    chosen = offsets[np.arange(len(offsets)), is_there.argmax(axis=1)].astype(float)
    chosen[is_there.sum(axis=1) != 1] = np.nan
    return chosen


def _fits(
    first: Neighbourhoods,
    partner: int,
    second: Neighbourhoods,
    anchor: int,
    mapping: _Mapping,
    site: float,
    effort: Effort,
) -> bool:
    """Whether, with the anchor laid on one site, the cells may match within a fraction of a cell's length."""
    within_a = mapping.within * 2 * site + MARGIN_A
    vectors = (second.coords - second.coords[anchor]) @ mapping.matrix @ np.linalg.inv(first.lattice.matrix)
    places = [first.coords[partner] + vectors[second.kinds == kind] for kind in range(len(first.sites))]
    if not all(_are_all_near(*pair, within_a) for pair in zip(first.sites, places, strict=True)):
        return False
    if effort.n_sites_left <= 0:
        return True
    effort.n_sites_left -= len(second.coords)
    steps = [sites.steps_to_only(coords, within_a) for sites, coords in zip(first.sites, places, strict=True)]
    to_mean = first.lattice.matrix @ np.linalg.inv(mapping.matrix) @ mapping.mean
    known = np.concatenate(steps) @ to_mean
    if np.isnan(known).any():
        return True
    distances = np.linalg.norm(known - known.mean(axis=0), axis=1)
    return bool(distances.max() <= site * abs(np.linalg.det(mapping.mean)) ** (1 / 3) + MARGIN_A)


def _are_all_near(sites: PeriodicPoints, coords: NDArray[np.float64], within_a: float) -> bool:
    """Whether all of some points have a site near."""
    few, others = coords[:N_PROBES], coords[N_PROBES:]
    return bool(sites.are_near(few, within_a).all() and sites.are_near(others, within_a).all())
