"""Symmetry that a CIF states is applied, or the CIF is a reject."""

import re

import pytest
from crystal_files import NACL_CIF
from handmade import structures
from jarvis.core.atoms import Atoms
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Structure
from pymatgen.io.cif import CifWriter
from pymatgen.symmetry.groups import SpaceGroup
from rewritten_structures import quartz, rock_salt, silicon

from polyfacet.sources.structures.cif_group import group_of, space_group_types
from polyfacet.sources.structures.cif_hall import check_hall
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
        (["_cell_formula_units_Z 4"], "states 4 formula units, but its cell holds"),
        (["_cell_formula_units_Z 4", IDENTITY], "states 4 formula units, but its cell holds"),
    ],
)
def test_symmetry_that_was_not_applied_is_a_reject(lines, reason):
    with pytest.raises(InvalidEntryError, match=reason):
        crystal_from_cif(stating(*lines))


@pytest.mark.parametrize("make", [rock_salt, silicon, quartz])
def test_all_atoms_that_formula_and_units_confirm_are_read_whatever_group_is_stated(make, tmp_path):
    structure, path = make(), tmp_path / "jarvis.cif"
    jarvis = Atoms(
        lattice_mat=structure.lattice.matrix,
        coords=structure.frac_coords,
        elements=[site.species_string for site in structure],
    )
    jarvis.write_cif(str(path))
    text = path.read_text()
    assert "x, y, z" in text
    read = Structure.from_dict(dict(crystal_from_cif(text).structure))
    assert read.composition == structure.composition
    assert StructureMatcher(primitive_cell=False).fit(read, structure)
    with pytest.raises(InvalidEntryError, match="no symmetry operation could be applied"):
        crystal_from_cif(re.sub("_chemical_formula_sum.*", "", text))


@pytest.mark.parametrize(
    ("symbol", "number"), [("P m -3 m", 225), ("F m -3 m", 221), ("P m -3 m", 1), ("P 4 2", 89)]
)
@pytest.mark.parametrize("key", ["_symmetry_space_group_name_H-M", "_space_group_name_H-M_alt"])
def test_a_symbol_and_a_number_that_contradict_each_other_are_a_reject(key, symbol, number):
    with pytest.raises(InvalidEntryError, match=f"contradict each other .'{symbol}', '{number}'."):
        crystal_from_cif(stating(f"{key} '{symbol}'", f"_symmetry_Int_Tables_number {number}"))


def test_a_monoclinic_symbol_and_number_that_contradict_each_other_are_a_reject():
    lines = ["_symmetry_space_group_name_H-M 'P 1 21 1'", "_space_group_IT_number 14"]
    with pytest.raises(InvalidEntryError, match="contradict each other"):
        crystal_from_cif(stating(*lines))
    assert len(crystal_from_cif(stating(lines[0], "_space_group_IT_number 4")).structure["sites"]) == 4


def test_two_symbols_that_contradict_each_other_are_a_reject():
    lines = ["_symmetry_space_group_name_H-M 'P m -3 m'", "_space_group_name_H-M_alt 'F m -3 m'"]
    with pytest.raises(InvalidEntryError, match="contradict each other"):
        crystal_from_cif(stating(*lines))


MONOCLINIC = "_symmetry_space_group_name_H-M 'P 1 21/c 1'"


@pytest.mark.parametrize(
    ("symbol", "hall"),
    [
        (MONOCLINIC, "-P 2yn"),
        ("_symmetry_space_group_name_H-M 'P n m a'", "-P 2c 2ab"),
        ("_symmetry_space_group_name_H-M 'F d -3 m'", "-F 4vw 2vw 3"),
    ],
)
def test_a_hall_symbol_of_another_setting_is_a_reject(symbol, hall):
    with pytest.raises(InvalidEntryError, match=f"Hall symbol '{hall}', which is another setting"):
        crystal_from_cif(stating(symbol, f"_space_group_name_Hall '{hall}'"))


@pytest.mark.parametrize(
    ("symbol", "hall"),
    [
        (MONOCLINIC, "-P 2ybc"),
        (MONOCLINIC, "unknown"),
        ("_symmetry_space_group_name_H-M 'F m -3 m'", "-F 4 2 3"),
        ("_symmetry_space_group_name_H-M 'P 4 2 2'", "P 4  2"),
    ],
)
def test_a_hall_symbol_of_the_same_setting_is_no_contradiction(symbol, hall):
    text = stating(symbol, f"_space_group_name_Hall '{hall}'")
    assert crystal_from_cif(text) == crystal_from_cif(stating(symbol))


def test_hall_symbols_are_the_settings_that_pymatgen_chooses():
    # Only the first of each group's settings is known to be that of pymatgen.
    first = {found.number: found.hall_symbol for found in reversed(space_group_types())}
    for number, hall in first.items():
        operations = SpaceGroup.from_int_number(number).symmetry_ops
        check_hall([hall], ["unused"], operations)


def test_a_hall_symbol_is_not_read_as_that_of_another_notation():
    # The Hall symbol of P 4 2 2 is spelled like P 42 without the space.
    hall = "_space_group_name_Hall 'P 4 2'"
    with pytest.raises(InvalidEntryError, match="space group 'P 4 2', but no symmetry"):
        crystal_from_cif(stating(hall))
    for line in ("_space_group_name_H-M_alt 'P 4 2 2'", "_space_group_IT_number 89"):
        assert crystal_from_cif(stating(hall, line)) == crystal_from_cif(stating(line))


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


def cif(group, a, angle, *sites, c=None, gamma=None, extra=""):
    """Return the CIF of a crystal that states a space group, but no operations."""
    return f"""data_x
{group}
_cell_length_a {a}
_cell_length_b {a}
_cell_length_c {c or a}
_cell_angle_alpha {angle}
_cell_angle_beta {angle}
_cell_angle_gamma {gamma or angle}
{extra}
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
""" + "".join(f"{site}\n" for site in sites)


RHOMBOHEDRAL = ["_symmetry_space_group_name_H-M 'R -3 m'", "_symmetry_Int_Tables_number 166"]
DIAMOND = ["_symmetry_space_group_name_H-M 'F d -3 m'", "_symmetry_Int_Tables_number 227"]
UNITS = "_chemical_formula_sum {}\n_cell_formula_units_Z {}"


@pytest.mark.parametrize("group", RHOMBOHEDRAL)
@pytest.mark.parametrize("extra", ["", UNITS.format("Bi", 2)])
def test_a_rhombohedral_cell_is_not_read_on_hexagonal_axes(group, extra):
    with pytest.raises(InvalidEntryError, match="do not have the symmetry .* rhombohedral"):
        crystal_from_cif(cif(group, 4.746, 57.23, "Bi1 Bi 0.2339 0.2339 0.2339", extra=extra))
    hexagonal = cif(group, 4.546, 90, "Bi1 Bi 0 0 0.2339", c=11.86, gamma=120)
    assert len(crystal_from_cif(hexagonal).structure["sites"]) == 6


def test_polonium_is_not_read_on_hexagonal_axes():
    with pytest.raises(InvalidEntryError, match="do not have the symmetry"):
        crystal_from_cif(cif(RHOMBOHEDRAL[0], 3.37, 98.08, "Po1 Po 0 0 0", extra=UNITS.format("Po", 1)))


def test_the_number_of_atoms_confirms_no_origin_if_all_are_in_general_positions():
    group, sulfur = "_symmetry_space_group_name_H-M 'F d d d'", "S1 S 0.8554 0.9526 0.9516"
    text = cif(group, 10.46, 90, sulfur, c=24.49, extra=UNITS.format("S", 32))
    with pytest.raises(InvalidEntryError, match="70 has two choices of origin"):
        crystal_from_cif(text.replace("_cell_length_b 10.46", "_cell_length_b 12.87"))


@pytest.mark.parametrize("key", ["_cell_modulation_dimension 1", "_space_group_ssg_name 'P -1(a,b,g)0'"])
def test_a_modulated_structure_is_rejected(key):
    text = cif("_symmetry_space_group_name_H-M 'P 1'", 4.2, 90, "Na1 Na 0 0 0", extra=key)
    with pytest.raises(InvalidEntryError, match="modulated structures are not supported"):
        crystal_from_cif(text)


@pytest.mark.parametrize("group", DIAMOND)
def test_a_guessed_origin_is_confirmed_by_the_number_of_atoms(group):
    read, reasons = [], []
    for place in ("0 0 0", "0.125 0.125 0.125"):
        with pytest.raises(InvalidEntryError, match="227 has two choices of origin"):
            crystal_from_cif(cif(group, 5.43, 90, f"Si1 Si {place}"))
        try:
            text = cif(group, 5.43, 90, f"Si1 Si {place}", extra=UNITS.format("Si", 8))
            read.append(len(crystal_from_cif(text).structure["sites"]))
        except InvalidEntryError as error:
            reasons.append(str(error))
    assert read == [8]
    assert [reason for reason in reasons if "8 formula units of 'Si', but its cell holds 'Si16'" in reason]


@pytest.mark.parametrize(
    ("group", "reason"),
    [
        ("_symmetry_space_group_name_H-M 'F m -3 m'\n_cell_length_b 4.4", "do not have the symmetry"),
        ("_symmetry_space_group_name_H-M 'P 63/m m c'", "do not have the symmetry"),
        ("_cell_volume 500.0", r"_cell_volume '500.0', but the volume of its cell is 64 A\^3"),
    ],
)
def test_a_cell_that_contradicts_the_file_is_a_reject(group, reason):
    text = stating(group)
    if "_cell_length_b" in group:
        text = text.replace("_cell_length_b   4.0\n", "", 1)
    with pytest.raises(InvalidEntryError, match=reason):
        crystal_from_cif(text)


def test_a_volume_is_compared_as_it_is_rounded():
    assert len(crystal_from_cif(stating("_cell_volume 64.1(2)")).structure["sites"]) == 2
    assert len(crystal_from_cif(stating("_cell_volume ?")).structure["sites"]) == 2


@pytest.mark.parametrize(
    ("key", "value"), [("length_a", "-4.0"), ("angle_alpha", "-90"), ("angle_beta", "270")]
)
def test_lengths_and_angles_that_no_cell_has_are_a_reject(key, value):
    text = BARE.replace(f"_cell_{key}   {'4.0' if 'length' in key else '90'}", f"_cell_{key} {value}")
    with pytest.raises(InvalidEntryError, match=f"_cell_{key} is '{value}', not"):
        crystal_from_cif(text)


@pytest.mark.parametrize("key", ["symmetry_multiplicity", "site_symmetry_multiplicity"])
def test_a_multiplicity_without_symmetry_is_a_reject(key):
    def multiple(number, *lines):
        text = stating(*lines).replace("_atom_site_occupancy\n", f"_atom_site_occupancy\n _atom_site_{key}\n")
        return text.replace("0.0  1\n", f"0.0  1 {number}\n").replace("0.5  1\n", f"0.5  1 {number}\n")

    with pytest.raises(InvalidEntryError, match="a site with multiplicity '4', but no symmetry"):
        crystal_from_cif(multiple("4"))
    for number in ("1", "?"):
        assert len(crystal_from_cif(multiple(number)).structure["sites"]) == 2
    symbol = "_symmetry_space_group_name_H-M"
    assert len(crystal_from_cif(multiple("4", f"{symbol} 'F m -3 m'")).structure["sites"]) == 8
    # A program that expands a cell may leave the multiplicities as they were.
    assert len(crystal_from_cif(multiple("4", f"{symbol} 'P 1'")).structure["sites"]) == 2


HEXAGONAL = "_symmetry_space_group_name_H-M 'P 63/m m c'"


@pytest.mark.parametrize("is_listed", [True, False])
@pytest.mark.parametrize("place", ["0.333 0.667 0.25", "0.33 0.67 0.25", "0.333(1) 0.666 0.25"])
def test_the_reject_of_rounded_thirds_asks_for_more_digits(place, is_listed):
    lines = "\n".join(f"'{each.as_xyz_str()}'" for each in SpaceGroup("P6_3/mmc").symmetry_ops)
    operations = f"\nloop_\n_symmetry_equiv_pos_as_xyz\n{lines}\n" if is_listed else ""

    def magnesium(place):
        extra = UNITS.format("Mg", 2) + operations
        return cif(HEXAGONAL, 3.21, 90, f"Mg1 Mg {place}", c=5.21, gamma=120, extra=extra)

    with pytest.raises(InvalidEntryError, match="four digits, such as 0.3333") as caught:
        crystal_from_cif(magnesium(place))
    assert "list the" not in str(caught.value)
    assert len(crystal_from_cif(magnesium("0.3333 0.6667 0.25")).structure["sites"]) == 2


@pytest.mark.parametrize("occupancy", [0.3, 0.5, 0.7, 1])
@pytest.mark.parametrize(
    ("place", "advice"),
    [
        ("0.333 0.667 0.25", "four digits, such as 0.3333"),
        ("0.33 0.67 0.25", "four digits, such as 0.3333"),
        ("0.3333 0.6667 0.252", "exactly on the symmetry element"),
    ],
)
def test_copies_of_a_site_that_are_nearly_on_each_other_are_a_reject(place, advice, occupancy):
    def oxide(place):
        text = cif(HEXAGONAL, 9.2, 90, f"Li1 Li {place} {occupancy}", "O1 O 0 0 0 1", c=5.2, gamma=120)
        return text.replace("_fract_z\n", "_fract_z\n_atom_site_occupancy\n")

    with pytest.raises(InvalidEntryError, match=f"copies of site 'Li1' 0.0.* A apart: .*{advice}"):
        crystal_from_cif(oxide(place))
    assert len(crystal_from_cif(oxide("0.3333 0.6667 0.25")).structure["sites"]) == 4


@pytest.mark.parametrize(
    ("sites", "n_sites"),
    [
        (["Li1 Li 0.03 0 0 0.5"], 2),
        (["Li1 Li 0 0 0 0.5", "Na1 Na 0 0 0 0.5"], 1),
        (["Li1 Li 0.1 0 0 0.5", "Na1 Na -0.1 0 0 0.5"], 2),
    ],
)
def test_alternative_positions_of_an_atom_are_read(sites, n_sites):
    text = cif("_symmetry_space_group_name_H-M 'P -1'", 6, 90, *sites)
    text = text.replace("_fract_z\n", "_fract_z\n_atom_site_occupancy\n")
    assert len(crystal_from_cif(text).structure["sites"]) == n_sites


def test_the_reject_of_a_wrong_number_of_atoms_does_not_ask_for_operations_that_are_listed():
    with pytest.raises(InvalidEntryError, match="correct the operations, the coordinates or"):
        crystal_from_cif(listing(*CENTRED, extra=UNITS.format("NaCl", 2)))


CENTRED = ["x,y,z", "x,y+1/2,z+1/2", "x+1/2,y,z+1/2", "x+1/2,y+1/2,z"]


def listing(*operations, extra=""):
    lines = "\n".join(f"'{operation}'" for operation in operations)
    return stating(f"{extra}\nloop_\n_symmetry_equiv_pos_as_xyz\n{lines}\n")


@pytest.mark.parametrize(
    ("operations", "reason"),
    [
        (["x,y,z", "x,y+1\\2,z"], "is not of the form x, y, z"),
        (["x,y,z", "1/2*x,y,z"], "is not of the form x, y, z"),
        (["x,y,z", "2x,y,z"], "is not of the form x, y, z|does not map a cell"),
        (["x,y,z", "x,x,z"], "'x, x, z' does not map a cell onto itself"),
        (["x,y,z", "x,y,q"], "is not of the form"),
        (CENTRED[1:], "lack the identity"),
        (CENTRED[:3], "the 3 symmetry operations are not a group"),
        (["x,y,z", "-y,x-y,z"], "not a group"),
    ],
)
def test_operations_that_are_not_a_group_are_a_reject(operations, reason):
    for _ in range(2):
        with pytest.raises(InvalidEntryError, match=reason):
            crystal_from_cif(listing(*operations))


@pytest.mark.parametrize(
    "extra", ["_symmetry_Int_Tables_number 225", "_symmetry_space_group_name_H-M 'F m -3 m'"]
)
def test_a_group_that_the_operations_are_not_is_a_reject(extra):
    with pytest.raises(InvalidEntryError, match="lists the operations of space group 1:"):
        crystal_from_cif(listing(*CENTRED, extra=extra))


def test_more_operations_than_those_of_the_stated_group_are_no_contradiction():
    centred = listing(*CENTRED, "-x,-y,-z", "-x,-y+1/2,-z+1/2", "-x+1/2,-y,-z+1/2", "-x+1/2,-y+1/2,-z")
    stated = centred.replace("loop_", "_symmetry_Int_Tables_number 10\nloop_", 1)
    assert len(crystal_from_cif(stated).structure["sites"]) == 8


@pytest.mark.parametrize(
    "operations",
    [
        CENTRED,
        ["X, Y, Z", "x, .5+y, z+0.5", "1/2+x, y, z+1/2", "+x+1/2, +y+1/2, z"],
        [
            "x,y,z",
            "-x,-y,-z",
            *[f"x+{n}/5,y,z" for n in range(1, 5)],
            *[f"-x+{n}/5,-y,-z" for n in range(1, 5)],
        ],
        ["x,y,z", "x+0.33,y,z", "x+0.67,y,z"],
    ],
)
def test_groups_are_read_however_they_are_written(operations):
    assert len(crystal_from_cif(listing(*operations)).structure["sites"]) >= len(operations)


@pytest.mark.parametrize("number", [2, 14, 62, 88, 139, 141, 148, 166, 167, 194, 205, 216, 225, 227, 230])
def test_every_group_that_pymatgen_writes_is_read(number):
    operations = SpaceGroup.from_int_number(number).symmetry_ops
    group = group_of(list(operations))
    assert group.number == number
    assert len(group.rotations) <= len(operations)
