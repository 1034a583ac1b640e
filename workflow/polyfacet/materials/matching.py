"""Decide whether two cells of equal size are one crystal: pymatgen's StructureMatcher and its tolerances."""

from dataclasses import replace
from typing import Any

from pymatgen.analysis.structure_matcher import ElementComparator, StructureMatcher
from pymatgen.core import Composition, Structure

from polyfacet.materials.occupancies import are_alike
from polyfacet.materials.quick_look import Tolerances

# Lengths (relative) and angles (degrees) of the reduced cells; largest displacement of a site after the best
# translation, in units of the cube root of the volume per site.  Among 11,582 one-dimensional entries of
# Alexandria, no two that match differ by more than 0.05 eV/atom; at 0.05, 2 degrees and 0.05, some differ by
# 0.7 eV/atom.
WITHIN = Tolerances(length=0.03, angle_deg=1.5, site=0.03)
# Largest displacement in any crystal: if most of the volume is vacuum, molecules that are stretched by a
# third would otherwise match.  Of 506 pairs of those entries that match without it, 459 match with it.
MAX_SITE_A = 0.1


class OccupancyComparator(ElementComparator):
    """Sites are equal if they hold the same elements with occupancies that are equal within rounding."""

    def are_equal(self, sp1: Any, sp2: Any) -> bool:
        """Return whether two sites hold the same."""
        return are_alike(Composition(sp1), Composition(sp2))

    def get_hash(self, composition: Composition) -> str:
        """Return the elements, which must be equal for two crystals to be compared."""
        return composition.chemical_system


def tolerances(first: Structure, second: Structure) -> Tolerances:
    """Return the tolerances for two cells of equal size; sites are within ``MAX_SITE_A`` at most."""
    edge_a = max(first.volume / len(first), second.volume / len(second)) ** (1 / 3)
    return replace(WITHIN, site=min(WITHIN.site, MAX_SITE_A / edge_a))


def site_within_a(crystal: Structure) -> float:
    """Return how far a site may be from its partner in another cell of similar volume, A."""
    return tolerances(crystal, crystal).site * (crystal.volume / len(crystal)) ** (1 / 3)


def match(first: Structure, second: Structure) -> bool:
    """Return whether two reduced cells with the same number of sites are one crystal."""
    within = tolerances(first, second)
    matcher = StructureMatcher(
        ltol=within.length,
        stol=within.site,
        angle_tol=within.angle_deg,
        primitive_cell=False,
        scale=False,
        comparator=OccupancyComparator(),
    )
    return bool(matcher.fit(first, second, skip_structure_reduction=True))
