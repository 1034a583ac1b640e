"""The descriptors of crystals: textbook values, and independence of the choice of cell."""

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
    tungsten,
    zinc_blende,
)

from polyfacet.facets.declaration import FacetError
from polyfacet.facets.descriptors.vector import descriptors, named_descriptors
from polyfacet.facets.registry import DESCRIPTORS
from polyfacet.materials.crystal_objectives import PREDEFINED
from polyfacet.materials.crystal_systems import CRYSTAL_SYSTEMS

TEXTBOOK = {
    rock_salt: {
        "density": 2.163,  # g/cm^3
        "spacing": 2.820,  # half the lattice constant
        "mean nearest distance": 2.820,
        "covalent packing": 0.526,
        "mean Number": 14,
        "avg_dev Number": 3,
        "range Electronegativity": 2.23,
        "cubic": 1,
        "centrosymmetric": 1,
        "lattice points": 4,
        "primitive atoms": 2,
        "inequivalent atoms": 2,
        "vacuum directions": 0,
    },
    copper: {
        "density": 8.935,
        "touching packing": 0.7405,
        "a": 2.556,
        "orthogonality": 0.7071,
        "elements": 1,
    },
    tungsten: {"density": 19.26, "touching packing": 0.6802, "lattice points": 2},
    silicon: {"density": 2.329, "touching packing": 0.3401, "mean coordination": 4, "point group order": 48},
    zinc_blende: {"polar": 0, "centrosymmetric": 0, "only rotations": 0, "point group order": 24},
    quartz: {"density": 2.649, "trigonal": 1, "only rotations": 1, "point group order": 6, "polar": 0},
    layer: {"vacuum directions": 1, "hexagonal": 1, "centrosymmetric": 0, "b/a": 1},
    chain: {"vacuum directions": 2, "mean coordination": 2, "a": 2.4, "b": 15, "c/a": 6.25},
}
CRYSTALS = list(TEXTBOOK)


@pytest.mark.parametrize("crystal", CRYSTALS)
def test_values_are_those_of_textbooks(crystal):
    found = named_descriptors(crystal())
    for name, value in TEXTBOOK[crystal].items():
        tolerance = 0.05 if "coordination" in name else 1e-3
        assert found[name] == pytest.approx(value, rel=tolerance, abs=1e-6), name
    assert sum(found[system] for system in CRYSTAL_SYSTEMS) == 1


def test_noise_of_a_relaxation_is_rounded_away():
    noisy = rock_salt()
    noisy.lattice = Lattice(noisy.lattice.matrix * (1 + 2e-8 * np.array([[0], [1], [-1]])))
    assert descriptors(noisy)[list(named_descriptors(noisy)).index("b/a")] == 1
    assert descriptors(noisy) == descriptors(rock_salt())


@pytest.mark.parametrize("crystal", CRYSTALS)
def test_another_cell_of_the_same_crystal_has_the_same_descriptors(crystal):
    there = descriptors(crystal())
    np.testing.assert_allclose(descriptors(rewritten(crystal())), there, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(descriptors(crystal().get_primitive_structure()), there, rtol=1e-6, atol=1e-6)


def test_they_are_as_many_for_every_crystal_and_finite():
    vectors = np.array([descriptors(crystal()) for crystal in CRYSTALS])
    assert vectors.shape == (len(CRYSTALS), 141)
    assert np.isfinite(vectors).all()


def test_deuterium_counts_as_hydrogen():
    assert descriptors(lithium_hydride("D")) == descriptors(lithium_hydride("H"))


@pytest.mark.parametrize(
    ("structure", "reason"),
    [
        (alloy(), "not one element"),
        (Structure(Lattice.cubic(4), ["Na", "Cl"], [[0, 0, 0], [0, 0, 0.001]]), "apart"),
        (Structure(Lattice.cubic(4), ["Lr"], [[0, 0, 0]]), "103"),
        (Structure(Lattice.cubic(40), ["He"], [[0, 0, 0]]), "no neighbour within 20 A"),
    ],
)
def test_a_crystal_without_descriptors_is_a_reject_with_a_reason(structure, reason):
    with pytest.raises(FacetError, match=reason):
        descriptors(structure)


def test_only_the_volume_follows_from_what_they_show():
    followed = [each.name for each in PREDEFINED if each.objective.is_revealed_by(DESCRIPTORS.shows or ())]
    assert followed == ["vol_atom"]
