import warnings

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure
from pymatgen.io.cif import CifWriter
from textbook_crystals import copper, other_basis, rocksalt, supercell, triclinic

from polyfacet.materials.cif import write_cif
from polyfacet.materials.crystal import (
    Crystal,
    crystal_from_structure,
    periodic_neighbours,
    primitive_crystal,
    read_crystal,
)

CUBE = np.eye(3) * 4.0
ORIGIN = np.zeros((1, 3))
IRON = np.array([26])


@pytest.mark.parametrize(
    ("lattice", "coords", "numbers", "reason"),
    [
        (np.array([[4.0, 0, 0], [0, 4, 0], [4, 4, 0]]), ORIGIN, IRON, "lie in a plane"),
        (CUBE * np.nan, ORIGIN, IRON, "NaN"),
        (CUBE, ORIGIN + np.inf, IRON, "NaN or infinity"),
        (CUBE, np.zeros((0, 3)), np.zeros(0, dtype=int), "no atoms"),
        (CUBE, np.zeros((2, 3)), IRON, "shape"),
        (CUBE, np.array([[0, 0, 0], [0.05, 0, 0]]), np.array([26, 26]), "0.05 A apart"),
        (CUBE, np.array([[0, 0, 0], [3.95, 0, 0]]), np.array([26, 8]), "0.05 A apart"),
        (np.diag([0.05, 9.0, 9.0]), ORIGIN, IRON, "0.05 A apart"),
        (CUBE, ORIGIN, np.array([103]), "103"),
        (CUBE, ORIGIN, np.array([0]), "no element features"),
    ],
)
def test_impossible_crystals_are_rejected_with_a_reason(lattice, coords, numbers, reason):
    with np.errstate(invalid="ignore"), pytest.raises(ValueError, match=reason):
        Crystal(lattice, coords * 1.0, numbers)


def test_shared_and_partially_occupied_sites_are_rejected():
    for species in ({"Fe": 0.5, "Ni": 0.5}, {"Fe": 0.9}):
        with pytest.raises(ValueError, match="not one element"):
            crystal_from_structure(Structure(Lattice.cubic(3), [species], [[0, 0, 0]]))


def test_cif_keeps_positions_that_are_nearly_special(tmp_path):
    structure = Structure(Lattice.cubic(9), ["Na", "Cl"], [[0, 0, 0], [0.33338, 0.5, 0.66661]])
    CifWriter(structure, significant_figures=10).write_file(tmp_path / "a.cif")
    crystal = read_crystal(tmp_path / "a.cif", primitive=False)
    np.testing.assert_allclose(crystal.cart_coords, structure.cart_coords, atol=1e-8)
    assert crystal.atomic_numbers.tolist() == [11, 17]


@pytest.mark.parametrize("text", ["", "data_x\n", "no cif", "data_x\n_cell_length_a nan\n"])
def test_damaged_cif_raises_value_error(tmp_path, text):
    (tmp_path / "a.cif").write_text(text)
    with pytest.raises(ValueError, match="CIF cannot be read"):
        read_crystal(tmp_path / "a.cif", primitive=True)


@pytest.mark.parametrize("crystal", [rocksalt(), copper(), triclinic()])
def test_primitive_cell_of_a_supercell(crystal):
    big = supercell(crystal)
    assert len(big) == 6 * len(crystal)
    small = primitive_crystal(big)
    assert len(small) == len(crystal)
    assert small.volume == pytest.approx(crystal.volume, rel=1e-9)


def test_neighbours_do_not_depend_on_the_basis_of_the_lattice():
    crystal = triclinic()
    reference = np.sort(periodic_neighbours(crystal, 7.0)[3])
    np.testing.assert_allclose(
        np.sort(periodic_neighbours(other_basis(crystal), 7.0)[3]), reference, atol=1e-9
    )
    assert len(reference) > 100


def test_positions_far_outside_the_cell_are_wrapped():
    crystal = rocksalt()
    far = Crystal(
        crystal.lattice,
        crystal.cart_coords + np.array([[70_000], [0]]) * crystal.lattice[0],
        crystal.atomic_numbers,
    )
    near_distances, far_distances = (np.sort(periodic_neighbours(c, 6.0)[3]) for c in (crystal, far))
    np.testing.assert_allclose(far_distances, near_distances, atol=1e-8)


def test_noble_gases_are_written_without_a_warning(tmp_path):
    # Their electronegativity, by which pymatgen sorts a formula, is unknown.
    structure = Structure(Lattice.cubic(5), ["He", "Ne"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        write_cif(structure, tmp_path / "a.cif")
