"""A multiple of a cell with displaced atoms is a twin of the cell if it matches the undisplaced multiple."""

import json

import numpy as np
import pytest
from handmade import rock_salt
from pymatgen.core import Lattice, Structure

from polyfacet.materials import twins
from polyfacet.materials.matching import match, site_within_a
from polyfacet.materials.twin_cells import Candidate
from polyfacet.materials.twins import twin_groups

CESIUM_IODIDE = Structure(Lattice.cubic(4.57), ["Cs", "I"], [[0, 0, 0], [0.5, 0.5, 0.5]])
CESIUM = Structure.from_spacegroup("Im-3m", Lattice.cubic(6.14), ["Cs"], [[0, 0, 0]])
CHAIN = Structure(Lattice.orthorhombic(20, 20, 5.6), ["Na", "Cl"], [[0.5, 0.5, 0], [0.5, 0.5, 0.5]])
MULTIPLES = {
    "CsI": (CESIUM_IODIDE, [2, 2, 2]),
    "Cs": (CESIUM, [2, 1, 1]),
    "NaCl chain": (CHAIN, [1, 1, 2]),
    "sheared": (CESIUM_IODIDE, [[1, 1, 0], [-1, 2, 0], [0, 1, 2]]),
    "rock salt": (rock_salt("Na", "Cl", 5.64), [1, 2, 2]),
}


def displaced(crystal: Structure, length: float, seed: int) -> Structure:
    """Displace all atoms by the same length in random directions."""
    steps = np.random.default_rng(seed).normal(size=(len(crystal), 3))
    steps *= length / np.linalg.norm(steps, axis=1, keepdims=True)
    return Structure(crystal.lattice, crystal.species, crystal.cart_coords + steps, coords_are_cartesian=True)


def groups_of(*crystals: Structure) -> list[set[str]]:
    materials = [Candidate(f"m{i}", json.dumps(cell.as_dict())) for i, cell in enumerate(crystals)]
    groups, uncertain = twin_groups(materials)
    assert not uncertain
    return groups


@pytest.mark.parametrize("share", [0.6, 0.8, 1.1, 2.0])
@pytest.mark.parametrize("name", MULTIPLES)
def test_twins_do_not_depend_on_the_cell(name, share):
    """Compare a displaced multiple with the small cell, and then with its multiple."""
    small, shape = MULTIPLES[name]
    multiple = small.make_supercell(shape, in_place=False)
    for seed in range(3):
        other = displaced(multiple, share * site_within_a(small), seed)
        are_one = match(*(cell.get_reduced_structure("niggli") for cell in (multiple, other)))
        assert are_one or share > 0.7
        assert not are_one or share < 2
        for first in (small, multiple):
            assert groups_of(first, other) == ([{"m0", "m1"}] if are_one else [])
    assert groups_of(small, multiple, displaced(multiple, 0.01, 0)) == [{"m0", "m1", "m2"}]


@pytest.mark.parametrize(("step", "are_one"), [(0.04, True), (0.06, False), (0.1, False)])
def test_a_dimerised_chain_is_the_uniform_one_below_the_tolerance(step, are_one):
    """In a dimerised chain, every other atom is nearer to one of its neighbours than to the other."""
    narrow = Structure(Lattice.orthorhombic(3, 3, 1.28), ["C"], [[0, 0, 0]])
    assert 0.04 < site_within_a(narrow) < 0.08
    share = site_within_a(narrow) / 0.05
    double = narrow.make_supercell([1, 1, 2], in_place=False)
    dimerised = double.copy().translate_sites([1], [0, 0, 2 * step * share], frac_coords=False)
    assert groups_of(narrow, dimerised) == ([{"m0", "m1"}] if are_one else [])
    assert groups_of(double, dimerised) == ([{"m0", "m1"}] if are_one else [])


def test_one_displaced_atom_makes_a_multiple_a_different_crystal():
    """The atom is displaced by hardly more than the tolerance, and less than paired sites may be."""
    multiple = CESIUM_IODIDE.make_supercell(2, in_place=False)
    step = 1.3 * site_within_a(CESIUM_IODIDE)
    other = multiple.copy().translate_sites([0], [0, 0, step], frac_coords=False)
    assert groups_of(CESIUM_IODIDE, other) == []


def test_ordering_makes_a_multiple_a_different_crystal():
    alloy = Structure(Lattice.cubic(3.6), [{"Cu": 0.5, "Au": 0.5}], [[0, 0, 0]])
    ordered = Structure(Lattice.tetragonal(3.6, 7.2), ["Cu", "Au"], [[0, 0, 0], [0, 0, 0.5]])
    layered = Structure(
        Lattice.tetragonal(3.6, 14.4), ["Cu", "Cu", "Au", "Au"], [[0, 0, z] for z in (0, 0.25, 0.5, 0.75)]
    )
    assert groups_of(alloy, ordered, layered) == []


def test_a_very_long_cell_is_not_compared_with_multiples():
    long = displaced(CESIUM.make_supercell([1, 1, 100], in_place=False), 0.08, 0)
    assert groups_of(CESIUM, long) == []


def test_failing_multiples_leave_cells_uncompared(monkeypatch):
    def fail(*_: object) -> None:
        raise ValueError("no reduced cell")

    monkeypatch.setattr(twins, "multiples", fail)
    other = displaced(CESIUM_IODIDE.make_supercell(2, in_place=False), 0.08, 0)
    cells = {"a": CESIUM_IODIDE, "b": other}
    materials = [Candidate(mat_id, json.dumps(cell.as_dict())) for mat_id, cell in cells.items()]
    assert twin_groups(materials) == ([{"a", "b"}], {"a", "b"})
