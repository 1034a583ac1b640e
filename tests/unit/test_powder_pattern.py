"""Powder patterns: lines at the spacings of textbooks, and independence of the choice of cell."""

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure
from rewritten_structures import (
    alloy,
    chain,
    copper,
    layer,
    lithium_hydride,
    quartz,
    rewritten,
    rock_salt,
    silicon,
)

from polyfacet.facets.declaration import FacetError
from polyfacet.facets.xrd.pattern import BIN_WIDTH, N_BINS, bin_centres, powder_pattern

CRYSTALS = (rock_salt, copper, silicon, quartz, layer, chain)
# Reflections of textbooks: lattice constant, A, and h^2 + k^2 + l^2 of the lines far enough from each other.
LINES = {rock_salt: (5.6402, (4, 8, 12)), silicon: (5.431, (3, 8, 11)), copper: (3.615, (3, 4, 8))}


@pytest.mark.parametrize("crystal", LINES)
def test_lines_are_at_the_spacings_of_textbooks(crystal):
    pattern = np.array(powder_pattern(crystal()))
    inner = pattern[1:-1]
    peaks = bin_centres()[1:-1][(inner > pattern[:-2]) & (inner > pattern[2:])]
    lattice_constant, squares = LINES[crystal]
    for square in squares:
        q = 2 * np.pi * np.sqrt(square) / lattice_constant
        assert np.abs(peaks - q).min() <= BIN_WIDTH


def test_the_strongest_lines_are_those_of_textbooks():
    strongest = [2 * np.pi / bin_centres()[np.argmax(powder_pattern(each()))] for each in LINES]
    # Rock salt 200, silicon 111, copper 111; A.
    assert strongest == pytest.approx([2.820, 3.136, 2.087], rel=0.02)


@pytest.mark.parametrize("crystal", CRYSTALS)
def test_another_cell_of_the_same_crystal_has_the_same_pattern(crystal):
    np.testing.assert_allclose(powder_pattern(rewritten(crystal())), powder_pattern(crystal()), atol=1e-8)


@pytest.mark.parametrize("crystal", CRYSTALS)
def test_shares_of_the_intensity_add_up_to_one(crystal):
    pattern = np.array(powder_pattern(crystal()))
    assert pattern.shape == (N_BINS,)
    assert (pattern >= 0).all()
    assert pattern.sum() == pytest.approx(1)


def test_a_small_strain_changes_the_pattern_little():
    strained = rock_salt()
    strained.apply_strain(1e-4)
    assert np.abs(np.subtract(powder_pattern(strained), powder_pattern(rock_salt()))).sum() < 0.02


def test_deuterium_counts_as_hydrogen():
    assert powder_pattern(lithium_hydride("D")) == powder_pattern(lithium_hydride("H"))


@pytest.mark.parametrize(
    ("structure", "reason"),
    [
        (alloy(), "not one element"),
        (Structure(Lattice.cubic(30), ["Ne"], [[0, 0, 0]]), "27000 A.3 has about .* more than 50000"),
        (Structure(Lattice.cubic(4), ["Es"], [[0, 0, 0]]), "scattering coefficients for Es"),
    ],
)
def test_a_crystal_without_a_pattern_is_a_reject_with_a_reason(structure, reason):
    with pytest.raises(FacetError, match=reason):
        powder_pattern(structure)
