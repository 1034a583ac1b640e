"""Symmetry that a CIF states is applied, or the CIF is a reject."""

import pytest
from crystal_files import NACL_CIF
from handmade import structures
from pymatgen.io.cif import CifWriter

from polyfacet.sources.structures.texts import crystal_from_cif
from polyfacet.sources.values import InvalidEntryError

BARE = NACL_CIF.replace("_symmetry_space_group_name_H-M   'P 1'\n", "").replace(
    "_chemical_formula_sum   'Na1 Cl1'\n", ""
)
IDENTITY = "loop_\n_symmetry_equiv_pos_as_xyz\n'x, y, z'\n"


def stating(*lines):
    """Return the CIF of NaCl with other statements about its symmetry."""
    return BARE.replace("loop_", "\n".join(lines) + "\nloop_", 1)


@pytest.mark.parametrize(
    "symbol",
    ["F d -3 m :1", "F d -3 m :2", "P 21/c", "P 21/n", "F d -3 m S", "F d -3 m Z", "B b c m", "unknown"],
)
@pytest.mark.parametrize("key", ["_symmetry_space_group_name_H-M", "_space_group_name_H-M_alt"])
def test_an_unknown_symbol_is_a_reject_that_quotes_it(key, symbol):
    with pytest.raises(InvalidEntryError, match=f"space group '{symbol}', but no symmetry"):
        crystal_from_cif(stating(f"{key} '{symbol}'"))


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["_space_group_name_Hall '-F 4 2 3'"], "space group '-F 4 2 3'"),
        (["_symmetry_space_group_name_H-M 'F m -3 m'", IDENTITY], "space group 'F m -3 m'"),
        (["_space_group_IT_number 225", IDENTITY], "space group '225'"),
        (["_symmetry_Int_Tables_number 14", "_symmetry_space_group_name_H-M 'P 21/n'"], "setting .*'P 21/n'"),
        (["_cell_formula_units_Z 4"], "states 4 formula units, but no symmetry"),
        (["_cell_formula_units_Z 4", IDENTITY], "states 4 formula units, but no symmetry"),
    ],
)
def test_symmetry_that_was_not_applied_is_a_reject(lines, reason):
    with pytest.raises(InvalidEntryError, match=reason):
        crystal_from_cif(stating(*lines))


@pytest.mark.parametrize(
    "lines",
    [
        [""],
        [IDENTITY],
        ["_cell_formula_units_Z 1"],
        ["_symmetry_space_group_name_H-M P1", "_symmetry_Int_Tables_number 1", "_cell_formula_units_Z 4"],
        ["_space_group_name_H-M_alt ?", "_space_group_IT_number ."],
        ["_space_group_name_Hall 'P 1'", IDENTITY],
    ],
)
def test_cells_without_symmetry_are_read(lines):
    assert len(crystal_from_cif(stating(*lines)).structure["sites"]) == 2


@pytest.mark.parametrize(
    ("lines", "n_sites"),
    [
        (["_symmetry_space_group_name_H-M 'F m -3 m'"], 8),
        (["_symmetry_Int_Tables_number 225"], 8),
        (["_symmetry_space_group_name_H-M 'F m 3 m'", "_symmetry_Int_Tables_number 225"], 8),
        (["_symmetry_space_group_name_H-M 'P 21/c'", "_symmetry_Int_Tables_number 14"], 4),
        (["_symmetry_space_group_name_H-M 'R -3 m :H'", "_symmetry_Int_Tables_number 166"], 12),
        (["_cell_formula_units_Z 4", "_symmetry_space_group_name_H-M 'F m -3 m'"], 8),
    ],
)
def test_stated_symmetry_is_applied(lines, n_sites):
    assert len(crystal_from_cif(stating(*lines)).structure["sites"]) == n_sites


@pytest.mark.parametrize("symprec", [None, 0.01])
@pytest.mark.parametrize("name", structures())
def test_what_pymatgen_writes_is_read(name, symprec):
    structure = structures()[name]
    read = crystal_from_cif(str(CifWriter(structure, symprec=symprec)))
    assert len(read.structure["sites"]) % len(structure) == 0
