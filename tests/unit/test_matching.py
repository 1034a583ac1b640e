"""Two cells are one crystal if no atom is displaced by more than the tolerance, with or without vacuum."""

import itertools

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

from polyfacet.materials.matching import MAX_SITE_A, match, tolerances
from polyfacet.materials.neighbourhoods import neighbourhoods
from polyfacet.materials.quick_look import may_match


def in_vacuum(species: list[str], coords: list[list[float]], width: float, period: float) -> Structure:
    """Place atoms in the middle of a wide box."""
    middle = np.array([width, width, 0]) / 2
    lattice = Lattice.orthorhombic(width, width, period)
    return Structure(lattice, species, coords + middle, coords_are_cartesian=True)


def nitrogen(length: float, width: float) -> Structure:
    return in_vacuum(["N", "N"], [[0, 0, 1], [0, 0, 1 + length]], width, width)


def water(angle: float, width: float) -> Structure:
    x, y = 0.96 * np.sin(np.radians(angle / 2)), 0.96 * np.cos(np.radians(angle / 2))
    return in_vacuum(["O", "H", "H"], [[0, 0, 5], [x, y, 5], [-x, y, 5]], width, width)


def hydrogen_chain(length: float, width: float) -> Structure:
    return in_vacuum(["H", "H"], [[0, 0, 0], [0, 0, length]], width, 2.0)


def silicene(buckling: float, height: float) -> Structure:
    lattice = Lattice.hexagonal(3.86, height)
    return Structure(lattice, ["Si", "Si"], [[1 / 3, 2 / 3, 0.5], [2 / 3, 1 / 3, 0.5 + buckling / height]])


IN_VACUUM = {
    "stretched": (nitrogen, 1.1, 1.6),
    "bent": (water, 104.5, 180.0),
    "dimerised": (hydrogen_chain, 1.0, 0.75),
    "buckled": (silicene, 0.0, 0.25),
}


@pytest.mark.parametrize("vacuum", [12, 15, 20, 30])
@pytest.mark.parametrize("name", IN_VACUUM)
def test_vacuum_does_not_make_twins(name, vacuum):
    crystal, first, second = IN_VACUUM[name]
    assert match(crystal(first, vacuum), crystal(first, vacuum))
    assert not match(crystal(first, vacuum), crystal(second, vacuum))


@pytest.mark.parametrize("edge", [2.0, 3.0, 4.0, 9.0])
@pytest.mark.parametrize(("share", "are_one"), [(0.98, True), (1.02, False)])
def test_the_tolerance_applies_to_the_furthest_site(edge, share, are_one):
    """The tolerance scales with the volume per site, up to a fixed length."""
    allowed = min(0.03 * edge, MAX_SITE_A)
    axis = list(itertools.product(range(2), repeat=3))
    first = Structure(Lattice.cubic(2 * edge), ["Na"] * 8, np.array(axis) / 2)
    # The others move the opposite way in the best translation.
    second = first.copy().translate_sites([0], [0, 0, share * allowed * 8 / 7], frac_coords=False)
    assert match(first, second) == are_one
    looked_at = neighbourhoods(first), neighbourhoods(second)
    assert may_match(*looked_at, tolerances(first, second)) == are_one
