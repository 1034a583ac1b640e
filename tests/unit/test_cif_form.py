"""A CIF that repeats or lacks parts is a reject that says which."""

import pytest
from crystal_files import NACL_CIF

from polyfacet.sources.structures.texts import crystal_from_cif
from polyfacet.sources.values import InvalidEntryError

WITHOUT_FORMULA = NACL_CIF.replace("_chemical_formula_sum   'Na1 Cl1'\n", "")
ATOMS = NACL_CIF[NACL_CIF.index("loop_") :]
OPERATIONS = "loop_\n_symmetry_equiv_pos_as_xyz\n"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (WITHOUT_FORMULA + ATOMS, "states _atom_site_type_symbol 2 times"),
        (WITHOUT_FORMULA + "_cell_length_a 5.0\n", "states _cell_length_a 2 times"),
        (NACL_CIF.replace("_cell_length_c   4.0\n", ""), "_cell_length_c is missing"),
        (NACL_CIF.replace("_cell_angle_beta   90\n", ""), "_cell_angle_beta is missing"),
        (NACL_CIF.replace("  Cl  Cl1  0.5", "  Cl  Cl1"), "a row with too few or too many values"),
        (NACL_CIF + OPERATIONS + "'x, y, z, x'\n", "operation 'x, y, z, x' is not of the form x, y, z"),
        (NACL_CIF + OPERATIONS + "'x, y'\n", "operation 'x, y' is not of the form x, y, z"),
    ],
)
def test_the_reason_says_what_is_wrong(text, reason):
    with pytest.raises(InvalidEntryError, match=reason):
        crystal_from_cif(text)


@pytest.mark.parametrize(
    "addition", ["# _cell_length_a 5.0\n", "_refine_special_details\n;\n_cell_length_a 5.0\n;\n"]
)
def test_keys_in_comments_and_texts_do_not_matter(addition):
    assert len(crystal_from_cif(NACL_CIF + addition).structure["sites"]) == 2


def test_the_word_data_may_be_in_upper_case():
    assert len(crystal_from_cif(NACL_CIF.replace("data_", "DATA_")).structure["sites"]) == 2


def test_a_crystal_system_completes_the_cell():
    text = NACL_CIF.replace("_cell_angle_beta   90\n", "_symmetry_cell_setting cubic\n")
    assert len(crystal_from_cif(text).structure["sites"]) == 2
