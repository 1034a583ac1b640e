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


BARE = WITHOUT_FORMULA.replace("'P 1'", "'F m -3 m'")


@pytest.mark.parametrize(
    ("usual", "other", "reason"),
    [
        ("_atom_site_occupancy", "_atom_site_Occupancy", None),
        ("_atom_site_occupancy", "_atom_site.occupancy", None),
        ("_atom_site_fract_x", "_ATOM_SITE_FRACT_X", None),
        ("_atom_site_type_symbol", "_atom_site.Type_Symbol", None),
        ("_cell_length_a", "_CELL_LENGTH_A", None),
        ("_symmetry_space_group_name_H-M", "_Symmetry_Space_Group_Name_h-m", None),
        ("loop_", "_cell_Volume 44.8\nloop_", "states _cell_volume '44.8'"),
        ("loop_", "_Chemical_Formula_Sum NaCl\nloop_", "states 'NaCl'"),
        ("loop_", "_cell.formula_units_z 3\n_chemical_formula_sum Na2Cl\nloop_", "states 3 formula units"),
        ("loop_", "_cell_Length_A 4.1\nloop_", "states _cell_length_a 2 times"),
    ],
)
def test_keys_may_be_in_any_case(usual, other, reason):
    half = BARE.replace("0.5  1\n", "0.5  0.5\n")
    text = half.replace(usual, other, 1)
    if reason is None:
        assert crystal_from_cif(text) == crystal_from_cif(half)
    else:
        with pytest.raises(InvalidEntryError, match=reason):
            crystal_from_cif(text)


@pytest.mark.parametrize("place", ["loop_", ""])
def test_lines_of_text_fields_are_no_data_blocks(place):
    field = "_publ_section_comment\n;\ndata_set one\n;\n"
    text = BARE.replace(place, field + place, 1) if place else BARE + field
    assert crystal_from_cif(text) == crystal_from_cif(BARE)


def hydroxide(number):
    """Return the CIF of NaCl with a number of hydrogen atoms attached to each chlorine atom."""
    text = BARE.replace("_atom_site_occupancy\n", "_atom_site_occupancy\n _atom_site_attached_hydrogens\n")
    return text.replace("0.0  1\n", "0.0  1 .\n").replace("0.5  1\n", f"0.5  1 {number}\n")


@pytest.mark.parametrize("number", ["1", "2", "0.5", "1(1)"])
def test_attached_hydrogens_are_a_reject(number):
    with pytest.raises(InvalidEntryError, match="hydrogen atoms without positions: .* of site 1 is"):
        crystal_from_cif(hydroxide(number))


@pytest.mark.parametrize("number", ["0", "?", "."])
def test_atoms_without_attached_hydrogens_are_read(number):
    assert crystal_from_cif(hydroxide(number)) == crystal_from_cif(BARE)
