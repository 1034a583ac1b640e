"""A quick proof that two crystals do not match: no site of one has the neighbours of a site of the other.

StructureMatcher pairs the sites of two cells so that, after the best translation, no pair is further apart
than its tolerance.  Hence, for one of the mappings between the lattices, the vectors from one site to all
others differ from those of its partner by no more than twice the tolerance, and so do these differences from
each other.  If this fails for all possible partners of one site, the crystals do not match.  If each site has
only one candidate that near, the pairs and the best translation are those of the matcher: the remaining
distances are then compared with the tolerance itself.  If all conditions hold, nothing is proved.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Lattice

from polyfacet.materials.neighbourhoods import Neighbourhoods
from polyfacet.materials.periodic_points import PeriodicPoints

# Sites among which the one with the fewest possible partners is chosen.
N_ANCHORS = 32
# Sites that nearly always suffice to show that a placement does not fit.
N_PROBES = 16
# Margin for rounding: single precision has seven digits.
MARGIN_A = 1e-3
MAX_CACHED_LATTICES = 4096


@dataclass(frozen=True)
class Tolerances:
    """Tolerances of StructureMatcher: its ``ltol``, ``angle_tol`` and ``stol``."""

    length: float
    angle_deg: float
    site: float


@dataclass(frozen=True)
class _Mapping:
    """A mapping of one lattice onto another.

    Parameters
    ----------
    matrix
        Vectors of the first lattice that are mapped onto those of the second one, A.
    mean
        Mean of both lattices, in which the matcher measures, A.
    within
        Factor from a fraction of a cell's length to the longest distance that it may be, A.
    strain
        Largest relative difference between the lengths of a vector in the two lattices.
    """

    matrix: NDArray[np.float64]
    mean: NDArray[np.float64]
    within: float
    strain: float


@dataclass
class Effort:
    """Remaining effort that quick looks share.

    Attributes
    ----------
    n_sites_left
        Sites for which the only site nearby is searched for.
    n_neighbours_left
        Neighbours that are searched for around all possible partners of a site.
    """

    n_sites_left: float = math.inf
    n_neighbours_left: float = math.inf


def may_match(
    first: Neighbourhoods, second: Neighbourhoods, tolerances: Tolerances, effort: Effort | None = None
) -> bool:
    """Return whether StructureMatcher may match two cells of equal size; only False is certain.

    If no effort is left for sites, paired sites need only be near, whatever the best translation is; if none
    is left for neighbours, all cells of one composition may match.
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
    """Map one lattice onto another in all ways; cached, as cells of one simulation share their lattices."""
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
    """Find the site of the second cell with the fewest possible partners in the first, and these partners.

    Sorted distances to the neighbours decide: if all neighbours differ little, so does the n-th distance.
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
    """Return the distances of neighbours, and which are known; the others are lower bounds."""
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
    """Select the sites that may have the neighbours of the anchor, for one mapping of the lattices."""
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
        # Beyond the distance within which all neighbours are known, there may be one.
        unknown = np.linalg.norm(expected) + within_a >= first.reach[partners] - MARGIN_A
        step = _only(offsets, is_there & ~unknown[:, None])[:, None]
        differ = np.any(np.linalg.norm(steps - step, axis=-1) > within_a, axis=1)
        is_left = (is_there.any(axis=1) | unknown) & ~differ
        partners, steps = partners[is_left], np.concatenate([steps, step], axis=1)[is_left]
    return partners


def _only(offsets: NDArray[np.float32], is_there: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Select the only offset of each row that is there; NaN where there are none or several."""
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
    """Return whether the cells, with the anchor placed on its partner, may match within the tolerance."""
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
    """Return whether all points have a site nearby."""
    few, others = coords[:N_PROBES], coords[N_PROBES:]
    return bool(sites.are_near(few, within_a).all() and sites.are_near(others, within_a).all())
