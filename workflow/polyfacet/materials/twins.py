"""Twins: one crystal under several identifiers, in whatever cell, order of sites and origin it is given.

Pymatgen's StructureMatcher decides, with the tolerances of `matching`.  A mirror image is a twin: scalar
properties are the same.  So is a crystal that is strained or displaced by less than the tolerances, or has
other occupancies within their rounding.  Other polymorphs, and crystals whose elements have changed places,
are not; nor is a chain that is turned in its vacuum, as its lattice is another one then.

Primitive cells of as many sites are compared with each other.  A cell that nearly repeats itself has no
smaller primitive cell if its atoms are displaced: it is also compared with the multiples of smaller cells
(`multiples`), unless it is very large, long or wide.

Of primitive cells that are too large for the matcher, those are taken for twins that cannot be told apart
quickly.  A cell without a known primitive cell is taken for a twin of the one next to it in volume that may
be it, and of no other: cells that were compared and differ are never joined by one that was not.

A quick look rules out nearly all pairs of large cells that differ, before the matcher.  The work of both on
the cells of one formula is limited (`MAX_...` below), counted in sites and neighbours and not in time, so
that the result is the same everywhere.  Those that are most alike are compared first.  Pairs beyond the
limit that cannot be told apart quickly count as not compared: each cell stays with one other at most.
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

# Reduced cells whose lengths and angles are that close have volumes within 1.2: nothing is lost by it.
VOLUME_WITHIN = 1.3
# Of more polymorphs than this that are alike in size, each is compared with as many next to it.
MAX_COMPARED = 200
# What the matcher may spend on cells of one formula that differ, in comparisons of cells of 100 sites; its
# time grows with the third power.  Thirty comparisons of 216 sites, or three of 480, take a minute where
# atoms are displaced by just what the quick look allows.  Cells that match are found at once.
MAX_WORK = 300.0
# What quick looks may spend on the best translations between cells of one formula, in sites: a minute, which
# is enough for some hundred pairs of 216 sites that are barely alike.
MAX_SITES_LOOKED_AT = 5e7
# The same in neighbours that are looked for, which all quick looks do: ten minutes, enough for 20,000
# pairs of 216 sites that are displaced by half of what the matcher allows, and for more that differ more.
MAX_NEIGHBOURS_LOOKED_FOR = 1e7
# The matcher needs a millisecond for smaller cells, which is what a quick look costs.
MIN_SITES_LOOKED_AT = 24
# Of thousands of pairs that were not compared, the log names some.
MAX_PAIRS_NAMED = 100
# Fewer materials of one formula take seconds.
MIN_MATERIALS_TRACKED = 50


def candidates(volumes: Mapping[str, float]) -> set[str]:
    """Name the materials of one formula that another one is near in volume.

    Parameters
    ----------
    volumes
        mat_id to volume per atom, A^3; of one formula.
    """
    ordered = sorted((volume, mat_id) for mat_id, volume in volumes.items())
    near: set[str] = set()
    for (small, first), (large, second) in pairwise(ordered):
        if large <= VOLUME_WITHIN * small:
            near |= {first, second}
    return near


@dataclass
class _Work:
    """What the matcher has spent on cells of one formula that differ, and what quick looks may spend."""

    spent: float = 0.0
    left_out: list[tuple[str, str]] = field(default_factory=list)
    looks: Effort = field(default_factory=lambda: Effort(MAX_SITES_LOOKED_AT, MAX_NEIGHBOURS_LOOKED_FOR))

    def allows(self, first: ReducedCell, second: ReducedCell) -> bool:
        """Tell whether a pair of cells may be compared, and note it if not."""
        is_left = first.n_sites < MIN_SITES_LOOKED_AT or self.spent < MAX_WORK
        if not is_left:
            self.left_out.append((first.mat_id, second.mat_id))
        return is_left

    def spend(self, cell: ReducedCell) -> None:
        """Count a pair of such cells that was compared and differs."""
        if cell.n_sites >= MIN_SITES_LOOKED_AT:
            self.spent += (cell.n_sites / 100) ** 3

    def tell_left_out(self, label: str) -> None:
        """Say what was not compared."""
        if self.left_out:
            named = "; ".join(" and ".join(pair) for pair in self.left_out[:MAX_PAIRS_NAMED])
            more = "; ..." if len(self.left_out) > MAX_PAIRS_NAMED else ""
            n_pairs = len(self.left_out)
            logger.warning("%s: %d pairs of large cells were not compared: %s%s", label, n_pairs, named, more)


class _Groups:
    """Identifiers in groups that are joined step by step."""

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
        """Join pairs that could not be compared: each identifier with one other, and no groups of several.

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
        What they are, for the progress of many.

    Returns
    -------
    tuple
        Groups of two or more identifiers; the identifiers whose cells could not be compared, in a group or
        not.
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
    work.tell_left_out(label)
    unreduced = [cell for cell in cells if not isinstance(cell, ReducedCell)]
    for known, mat_id in _next_in_volume(unreduced, whole):
        groups.join(known, mat_id)
    uncertain |= groups.join_once(failed) | {cell.mat_id for cell in unreduced}
    return groups.of_several(), uncertain


def _are_many(n: int) -> bool:
    return n >= MIN_MATERIALS_TRACKED


def _tracked(items: Iterable[T], label: str, total: int) -> Iterable[T]:
    """Show the progress of what may take long."""
    return track(items, label, total) if _are_many(total) else items


def _next_in_volume(unreduced: Sequence[Cell], whole: Sequence[Cell]) -> Iterator[tuple[str, str]]:
    """Pair each cell that is not reduced with the next in volume of those that it may be a multiple of."""
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
    """Pair cells that may be multiples, with atoms displaced, with smaller ones next to them in volume."""
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
    """Pair each with those of as many sites next to it in volume, in an order of their own.

    Of large cells the pairs come first whose distances between atoms are most alike, as those of twins are.
    """
    ordered = sorted(cells, key=lambda cell: (cell.n_sites, cell.volume, cell.mat_id))
    for n_sites, group in groupby(ordered, key=lambda cell: cell.n_sites):
        pairs = _pairs_alike(list(group))
        yield from sorted(pairs, key=_unlikeness) if n_sites >= MIN_SITES_LOOKED_AT else pairs


def _unlikeness(pair: tuple[ReducedCell, ReducedCell]) -> tuple[float, str, str]:
    first, second = pair
    return abs(first.mean_distance - second.mean_distance), first.mat_id, second.mat_id


def _pairs_alike(alike: Sequence[ReducedCell]) -> Iterator[tuple[ReducedCell, ReducedCell]]:
    """Pair each cell with those next to it in volume.

    Where these are not all, also with those next to it in the distances between atoms: the cells of one
    simulation have one volume.
    """
    yield from _next_to_each_other(alike)
    if len(alike) > MAX_COMPARED + 1:
        place = {cell.mat_id: i for i, cell in enumerate(alike)}
        for first, second in _next_to_each_other(sorted(alike, key=lambda cell: cell.mean_distance)):
            if abs(place[first.mat_id] - place[second.mat_id]) > MAX_COMPARED:
                yield first, second


def _next_to_each_other(cells: Sequence[ReducedCell]) -> Iterator[tuple[ReducedCell, ReducedCell]]:
    """Pair each with those some places behind it; nearest first, so that equal ones are few comparisons."""
    for distance in range(1, min(len(cells), MAX_COMPARED + 1)):
        for first, second in zip(cells, cells[distance:], strict=False):
            if _ratio(first, second) <= VOLUME_WITHIN:
                yield first, second


def _compared(first: ReducedCell, second: ReducedCell, work: _Work) -> bool | None:
    """Compare two cells, the first one's multiples if it is smaller; None if nothing can tell."""
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
    """Compare two cells of as many sites; None if they may be twins and were not compared."""
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
