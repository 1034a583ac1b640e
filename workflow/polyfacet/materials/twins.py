"""Twins: one crystal under several identifiers, whatever its cell, order of sites and origin.

Pymatgen's StructureMatcher decides, with the tolerances of `matching`.  A mirror image is a twin, because
scalar properties are the same.  So is a crystal that is strained or displaced by less than the tolerances, or
whose occupancies differ by no more than rounding.  Other polymorphs, and crystals whose elements have
exchanged places, are not twins; nor is a chain that is rotated in its vacuum, because its lattice differs.

Primitive cells with the same number of sites are compared with each other.  For a cell that nearly repeats
itself but has displaced atoms, no smaller primitive cell is found: it is also compared with the multiples of
smaller cells (`multiples`), unless it is very large, long or wide.

Primitive cells that are too large for the matcher count as twins if a quick look cannot distinguish them.  A
cell without a known primitive cell counts as a twin of the possible partner closest in volume, and of no
other: cells that were compared and differ are never joined through one that was not compared.

A quick look rules out nearly all pairs of large cells that differ, before the matcher.  The work of both on
the cells of one formula is limited (`MAX_...` below); it is counted in sites and neighbours, not in time, so
that the result is the same everywhere.  The most similar cells are compared first.  Pairs beyond the limit
that a quick look cannot distinguish count as not compared: each cell is joined with one other at most.
"""

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, groupby, pairwise
from typing import TypeVar

from polyfacet.materials.matching import WITHIN, match, site_within_a, tolerances
from polyfacet.materials.multiples import may_be_multiple, multiples
from polyfacet.materials.quick_look import Effort, may_match
from polyfacet.materials.twin_cells import (
    INCOMPARABLE,
    MAX_SITES,
    Candidate,
    Cell,
    ReducedCell,
    reduced_cell,
)
from polyfacet.runtime.machine_failures import raise_machine_failure
from polyfacet.runtime.progress import track

logger = logging.getLogger(__name__)

T = TypeVar("T")

# Ratio of volumes per site.  Reduced cells that match in lengths and angles are within 1.2: no twin is lost.
VOLUME_WITHIN = 1.3
# If there are more polymorphs of similar size, each is compared with only this many neighbours in volume.
MAX_COMPARED = 200
# Work of the matcher on cells of one formula that differ, in comparisons of cells of 100 sites; its time
# grows with the third power.  Thirty comparisons of 216 sites, or three of 480, take a minute if atoms are
# displaced by just what the quick look allows.  Cells that match are found at once.
MAX_WORK = 300.0
# Work of quick looks on the best translations between cells of one formula, in sites: a minute, which is
# enough for some hundred pairs of 216 sites that are barely alike.
MAX_SITES_LOOKED_AT = 5e7
# Work of all quick looks on cells of one formula, in neighbours searched for: ten minutes, enough for 20,000
# pairs of 216 sites that are displaced by half of what the matcher allows, and for more that differ more.
MAX_NEIGHBOURS_LOOKED_FOR = 1e7
# For smaller cells the matcher needs a millisecond, as long as a quick look.
MIN_SITES_LOOKED_AT = 24
# The log names only so many of the pairs that were not compared; there may be thousands.
MAX_PAIRS_NAMED = 100
# For fewer materials of one formula, which take seconds, no progress is shown.
MIN_MATERIALS_TRACKED = 50


def candidates(volumes: Mapping[str, float]) -> set[str]:
    """Return the materials of one formula that are near another one in volume.

    Parameters
    ----------
    volumes
        mat_id to volume per atom, A^3, for materials of one formula.
    """
    ordered = sorted((volume, mat_id) for mat_id, volume in volumes.items())
    near: set[str] = set()
    for (small, first), (large, second) in pairwise(ordered):
        if large <= VOLUME_WITHIN * small:
            near |= {first, second}
    return near


@dataclass
class _Work:
    """Work spent by the matcher on cells of one formula that differ, and work left for quick looks."""

    spent: float = 0.0
    left_out: list[tuple[str, str]] = field(default_factory=list)
    looks: Effort = field(default_factory=lambda: Effort(MAX_SITES_LOOKED_AT, MAX_NEIGHBOURS_LOOKED_FOR))

    def allows(self, first: ReducedCell, second: ReducedCell) -> bool:
        """Return whether a pair of cells may be compared, and record it if not."""
        is_left = first.n_sites < MIN_SITES_LOOKED_AT or self.spent < MAX_WORK
        if not is_left:
            self.left_out.append((first.mat_id, second.mat_id))
        return is_left

    def spend(self, cell: ReducedCell) -> None:
        """Count a comparison of cells like this one that differ."""
        if cell.n_sites >= MIN_SITES_LOOKED_AT:
            self.spent += (cell.n_sites / 100) ** 3

    def log_left_out(self, label: str) -> None:
        """Log the pairs that were not compared."""
        if self.left_out:
            named = "; ".join(" and ".join(pair) for pair in self.left_out[:MAX_PAIRS_NAMED])
            more = "; ..." if len(self.left_out) > MAX_PAIRS_NAMED else ""
            n_pairs = len(self.left_out)
            logger.warning("%s: %d pairs of large cells were not compared: %s%s", label, n_pairs, named, more)


class _Groups:
    """Groups of identifiers that are joined step by step."""

    def __init__(self, mat_ids: Iterable[str]) -> None:
        self.of = {mat_id: {mat_id} for mat_id in mat_ids}

    def are_joined(self, first: str, second: str) -> bool:
        return self.of[first] is self.of[second]

    def join(self, first: str, second: str) -> None:
        if not self.are_joined(first, second):
            ours, theirs = self.of[first], self.of[second]
            ours |= theirs
            self.of |= dict.fromkeys(theirs, ours)

    def join_once(self, pairs: Iterable[tuple[str, str]]) -> set[str]:
        """Join pairs that could not be compared: each identifier with one other, but no two larger groups.

        Returns
        -------
        set
            The identifiers of all pairs.
        """
        seen: set[str] = set()
        used: set[str] = set()
        for first, second in pairs:
            seen |= {first, second}
            if used.isdisjoint((first, second)) and min(len(self.of[first]), len(self.of[second])) == 1:
                self.join(first, second)
                used |= {first, second}
        return seen

    def of_several(self) -> list[set[str]]:
        return [group for mat_id, group in self.of.items() if len(group) > 1 and mat_id == min(group)]


def twin_groups(materials: Sequence[Candidate], label: str = "twins") -> tuple[list[set[str]], set[str]]:
    """Find the twins among materials of one composition; twins of a twin are twins.

    Parameters
    ----------
    materials
        Materials of one composition, in any order.
    label
        Name of the materials, for the progress display.

    Returns
    -------
    tuple
        Groups of two or more identifiers; the identifiers whose cells could not be compared, whether they
        are in a group or not.
    """
    groups = _Groups(sorted(material.mat_id for material in materials))
    cells = [reduced_cell(material) for material in _tracked(materials, f"{label}, cells", len(materials))]
    whole = [cell for cell in cells if isinstance(cell, ReducedCell)]
    of_multiples = list(_pairs_of_multiples(whole))
    n_pairs = len(of_multiples) + sum(1 for _ in _pairs(whole)) if _are_many(len(materials)) else 0
    failed: list[tuple[str, str]] = []
    uncertain: set[str] = set()
    work = _Work()
    for first, second in _tracked(chain(_pairs(whole), of_multiples), f"{label}, pairs", n_pairs):
        if groups.are_joined(first.mat_id, second.mat_id):
            continue
        are_twins = _compared(first, second, work)
        if are_twins or (are_twins is None and first.is_large):
            groups.join(first.mat_id, second.mat_id)
        if are_twins is None and first.is_large:
            uncertain |= {first.mat_id, second.mat_id}
        elif are_twins is None:
            failed.append((first.mat_id, second.mat_id))
    work.log_left_out(label)
    unreduced = [cell for cell in cells if not isinstance(cell, ReducedCell)]
    for known, mat_id in _next_in_volume(unreduced, whole):
        groups.join(known, mat_id)
    uncertain |= groups.join_once(failed) | {cell.mat_id for cell in unreduced}
    return groups.of_several(), uncertain


def _are_many(n: int) -> bool:
    return n >= MIN_MATERIALS_TRACKED


def _tracked(items: Iterable[T], label: str, total: int) -> Iterable[T]:
    """Show progress if there are many items."""
    return track(items, label, total) if _are_many(total) else items


def _next_in_volume(unreduced: Sequence[Cell], whole: Sequence[Cell]) -> Iterator[tuple[str, str]]:
    """Pair each cell that is not reduced with the closest in volume of those it may be a multiple of."""
    known = sorted(whole, key=lambda cell: cell.mat_id)
    for cell in sorted(unreduced, key=lambda cell: cell.mat_id):
        alike = [
            (ratio, other.mat_id)
            for other in known
            if cell.n_sites % other.n_sites == 0 and (ratio := _ratio(cell, other)) <= VOLUME_WITHIN
        ]
        if alike:
            yield min(alike)[1], cell.mat_id
        known.append(cell)


def _ratio(first: Cell, second: Cell) -> float:
    return max(first.volume, second.volume) / min(first.volume, second.volume)


def _pairs_of_multiples(cells: Sequence[ReducedCell]) -> Iterator[tuple[ReducedCell, ReducedCell]]:
    """Pair cells that may be multiples, with atoms displaced, with the smaller cells closest in volume."""
    by_size: dict[int, list[ReducedCell]] = defaultdict(list)
    for cell in sorted(cells, key=lambda cell: (cell.n_sites, cell.mat_id)):
        by_size[cell.n_sites].append(cell)
    for n_sites, alike in by_size.items():
        sizes = [size for size in by_size if size < n_sites and n_sites % size == 0]
        for cell in alike if n_sites <= MAX_SITES else ():
            near = [(_ratio(cell, other), other) for size in sizes for other in by_size[size]]
            near = sorted((pair for pair in near if pair[0] <= VOLUME_WITHIN), key=lambda pair: pair[0])
            if near and may_be_multiple(cell.structure, site_within_a(cell.structure)):
                yield from ((other, cell) for _, other in near[:MAX_COMPARED])


def _pairs(cells: Sequence[ReducedCell]) -> Iterator[tuple[ReducedCell, ReducedCell]]:
    """Pair each cell with those of equal size closest in volume, in an order independent of the input.

    Pairs of large cells with the most similar distances between atoms, as those of twins are, come first.
    """
    ordered = sorted(cells, key=lambda cell: (cell.n_sites, cell.volume, cell.mat_id))
    for n_sites, group in groupby(ordered, key=lambda cell: cell.n_sites):
        pairs = _pairs_alike(list(group))
        yield from sorted(pairs, key=_unlikeness) if n_sites >= MIN_SITES_LOOKED_AT else pairs


def _unlikeness(pair: tuple[ReducedCell, ReducedCell]) -> tuple[float, str, str]:
    first, second = pair
    return abs(first.mean_distance - second.mean_distance), first.mat_id, second.mat_id


def _pairs_alike(alike: Sequence[ReducedCell]) -> Iterator[tuple[ReducedCell, ReducedCell]]:
    """Pair each cell with those closest in volume.

    If these are not all, also with those closest in the distances between atoms: the cells of one simulation
    have the same volume.
    """
    yield from _next_to_each_other(alike)
    if len(alike) > MAX_COMPARED + 1:
        place = {cell.mat_id: i for i, cell in enumerate(alike)}
        for first, second in _next_to_each_other(sorted(alike, key=lambda cell: cell.mean_distance)):
            if abs(place[first.mat_id] - place[second.mat_id]) > MAX_COMPARED:
                yield first, second


def _next_to_each_other(cells: Sequence[ReducedCell]) -> Iterator[tuple[ReducedCell, ReducedCell]]:
    """Pair each cell with those that follow it; nearest first, so that equal cells need few comparisons."""
    for distance in range(1, min(len(cells), MAX_COMPARED + 1)):
        for first, second in zip(cells, cells[distance:], strict=False):
            if _ratio(first, second) <= VOLUME_WITHIN:
                yield first, second


def _compared(first: ReducedCell, second: ReducedCell, work: _Work) -> bool | None:
    """Compare two cells, or the multiples of the first one if it is smaller; None if undecided."""
    try:
        if first.n_sites == second.n_sites:
            return _are_twins(first, second, work)
        for multiple in multiples(first.structure, second.structure, WITHIN):
            found = _are_twins(replace(first, n_sites=second.n_sites, structure=multiple), second, work)
            if found is not False:
                return found
    except INCOMPARABLE as error:
        raise_machine_failure(error)
        logger.warning("%s and %s cannot be compared: %s", first.mat_id, second.mat_id, error)
        return None
    return False


def _are_twins(first: ReducedCell, second: ReducedCell, work: _Work) -> bool | None:
    """Compare two cells of equal size; None if they may be twins and were not compared."""
    within = tolerances(first.structure, second.structure)
    if first.n_sites >= MIN_SITES_LOOKED_AT and not may_match(
        first.neighbourhoods, second.neighbourhoods, within, work.looks
    ):
        return False
    if first.is_large or not work.allows(first, second):
        return None
    are_twins = match(first.structure, second.structure)
    if not are_twins:
        work.spend(first)
    return are_twins
