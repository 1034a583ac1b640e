"""Twins: one crystal under several identifiers, in whatever cell, order of sites and origin it is given.

Pymatgen's StructureMatcher decides.  A mirror image is a twin: scalar properties are the same.  So is a
crystal that is strained by less than the tolerances.  Other polymorphs, and crystals whose elements have
changed places, are not; nor is a chain that is turned in its vacuum, as its lattice is another one then.
"""

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from pymatgen.analysis.structure_matcher import ElementComparator, StructureMatcher
from pymatgen.core import Composition, Structure

logger = logging.getLogger(__name__)

# Lattice vectors and angles of the reduced primitive cells, relative and in degrees; sites after the best
# translation, in units of the cube root of the volume per site.  Of 11,582 one-dimensional entries of
# Alexandria no two that are joined differ by more than 0.05 eV/atom; at 0.05, 2 degrees and 0.05 some differ
# by 0.7 eV/atom.
LENGTH_WITHIN = 0.03
ANGLE_WITHIN_DEG = 1.5
SITE_WITHIN = 0.03
# Reduced cells whose lengths and angles are that close have volumes within 1.2: nothing is lost by it.
VOLUME_WITHIN = 1.3
# Sites this close to a lattice translation of others repeat them; found before cells are compared.
PRIMITIVE_WITHIN_A = 0.1
# Two decimals of an occupancy count.
OCCUPANCY_DIGITS = 2
# Larger cells take minutes each; they are kept together with all of their formula instead.
MAX_SITES = 500
# Of more polymorphs than this that are alike in size, each is compared with as many next to it in volume.
MAX_COMPARED = 200

# What pymatgen raises of cells that are hardly crystals.
INCOMPARABLE = (ValueError, ArithmeticError, IndexError, AssertionError)

MATCHER = StructureMatcher(
    ltol=LENGTH_WITHIN,
    stol=SITE_WITHIN,
    angle_tol=ANGLE_WITHIN_DEG,
    primitive_cell=False,
    scale=False,
    comparator=ElementComparator(),
)


@dataclass(frozen=True)
class Candidate:
    """A material that may have twins.

    Parameters
    ----------
    mat_id
        Its identifier.
    structure
        JSON of a pymatgen Structure.
    """

    mat_id: str
    structure: str


@dataclass(frozen=True)
class _Reduced:
    """A structure in the reduced setting of its primitive cell."""

    mat_id: str
    structure: Structure
    volume: float


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


def twin_groups(materials: Sequence[Candidate]) -> tuple[list[set[str]], set[str]]:
    """Find the twins among materials of one formula; twins of a twin are twins.

    Parameters
    ----------
    materials
        Materials of one reduced formula, in any order.

    Returns
    -------
    tuple
        Groups of two or more identifiers; the identifiers whose cells could not be compared, which count as
        twins of all others.
    """
    group_of = {material.mat_id: {material.mat_id} for material in materials}
    reduced = [_reduce(material) for material in materials]
    whole = [cell for cell in reduced if cell is not None]
    for cells in _by_size(whole):
        for first, second in _pairs(cells):
            ours, theirs = group_of[first.mat_id], group_of[second.mat_id]
            if ours is not theirs and _are_twins(first, second):
                ours |= theirs
                group_of |= dict.fromkeys(theirs, ours)
    unknown = {material.mat_id for material, cell in zip(materials, reduced, strict=True) if cell is None}
    if unknown:
        return [set(group_of)], unknown
    return [group for mat_id, group in group_of.items() if len(group) > 1 and mat_id == min(group)], unknown


def _reduce(material: Candidate) -> _Reduced | None:
    content = json.loads(material.structure)
    if len(content["sites"]) > MAX_SITES:
        return None
    try:
        given = Structure.from_dict(content)
        for site in given:
            if not site.is_ordered:
                amounts = {which: round(amount, OCCUPANCY_DIGITS) for which, amount in site.species.items()}
                site.species = Composition(amounts)
        structure = given.get_primitive_structure(PRIMITIVE_WITHIN_A).get_reduced_structure("niggli")
    except INCOMPARABLE as error:
        logger.warning("%s cannot be compared with others of its formula: %s", material.mat_id, error)
        return None
    return _Reduced(material.mat_id, structure, structure.volume / len(structure))


def _by_size(cells: Sequence[_Reduced]) -> Iterator[list[_Reduced]]:
    """Group by the number of sites, each group in the order of volumes, whatever the order they come in."""

    def size(cell: _Reduced) -> int:
        return len(cell.structure)

    ordered = sorted(cells, key=lambda cell: (size(cell), cell.volume, cell.mat_id))
    for _, group in groupby(ordered, key=size):
        yield list(group)


def _pairs(cells: Sequence[_Reduced]) -> Iterator[tuple[_Reduced, _Reduced]]:
    """Pair each with those next to it in volume, nearest first: many equal ones are few comparisons."""
    for distance in range(1, min(len(cells), MAX_COMPARED + 1)):
        for first, second in zip(cells, cells[distance:], strict=False):
            if second.volume <= VOLUME_WITHIN * first.volume:
                yield first, second


def _are_twins(first: _Reduced, second: _Reduced) -> bool:
    try:
        return MATCHER.fit(first.structure, second.structure, skip_structure_reduction=True)
    except INCOMPARABLE as error:
        logger.warning("%s and %s cannot be compared: %s", first.mat_id, second.mat_id, error)
        return True
