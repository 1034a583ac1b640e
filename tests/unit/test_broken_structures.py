"""Broken structure files are rejects that name the file and the reason; unusual ones are read."""

import gzip
import json
import re

import numpy as np
import pytest
from crystal_files import NACL_CIF, NACL_POSCAR, Sampled
from handmade import structures
from pymatgen.core import Structure

from polyfacet.materials import spacing
from polyfacet.materials.spacing import OVERLAP_A
from polyfacet.sources.structures.crystals import checked_crystal
from polyfacet.sources.structures.texts import crystal_from_json
from polyfacet.sources.values import InvalidEntryError

SITES = NACL_CIF.index("  Na  Na0")
NA, CL = "Na Na0 0 0 0 1", "Cl Cl1 0.5 0.5 0.5 1"
UNREADABLE = "CIF cannot be read|volume"


def cif(*sites, formula=None, **changes):
    """Return the CIF of NaCl with other sites, formula or values of keys."""
    text = NACL_CIF[:SITES] + "".join(f"  {site}\n" for site in sites) if sites else NACL_CIF
    text = text.replace("_chemical_formula_sum   'Na1 Cl1'\n", "") if sites or formula else text
    if formula:
        text = text.replace("loop_", f"_chemical_formula_sum '{formula}'\nloop_", 1)
    for key, value in changes.items():
        start = text.index(f"_{key} ")
        text = f"{text[:start]}_{key} {value}{text[text.index(chr(10), start) :]}"
    return text


def poscar(**changes):
    lines = NACL_POSCAR.split("\n")
    for number, line in changes.items():
        lines[int(number[1:])] = line
    return "\n".join(line for line in lines if line is not None)


BROKEN = {
    # name: file, content, reason
    "no bytes": ("a.cif", "", r"the file is empty \(0 bytes\)"),
    "white space": ("a.cif", " \n\n", "the CIF is empty"),
    "another text": ("a.cif", "<html>not found</html>", "it is not a CIF: no line begins with data_"),
    "two blocks": ("a.cif", NACL_CIF + NACL_CIF.replace("data_NaCl", "data_b"), "holds 2 structures"),
    "two blocks of one name": ("a.cif", NACL_CIF * 2, "holds 2 structures"),
    "no atoms": ("a.cif", NACL_CIF[: NACL_CIF.index("loop_")], "no atoms: _atom_site_fract_x is missing"),
    "a molecule": (
        "a.cif",
        NACL_CIF.replace("_atom_site_fract_", "_atom_site_Cartn_"),
        "Cartesian coordinates only: a molecule without a cell",
    ),
    "no cell": ("a.cif", NACL_CIF.replace("_cell_length_a   4.0\n", ""), "has no cell"),
    "half a cell": ("a.cif", NACL_CIF.replace("_cell_length_b   4.0\n", ""), "CIF cannot be read"),
    "zero occupancy": ("a.cif", cif("Na Na0 0 0 0 0", CL), "its occupancies are 0"),
    "negative occupancy": ("a.cif", cif("Na Na0 0 0 0 -1", CL), "is empty: its occupancies"),
    "occupancy above 1": ("a.cif", cif("Na Na0 0 0 0 1.5", CL), "add up to 1.5, more than 1"),
    "two atoms on a site": ("a.cif", cif(NA, "Cl Cl1 0 0 0 1"), "add up to 2, more than 1"),
    "overlapping atoms": ("a.cif", cif(NA, "Cl Cl1 0.05 0 0 1"), "sites 0 and 1 overlap"),
    "overlapping across the boundary": (
        "a.cif",
        cif("Na Na0 0.99 0 0 1", "Cl Cl1 0.02 0 0 1"),
        "sites 0 and 1 overlap: .* 0.12 A apart",
    ),
    "NaN coordinate": ("a.cif", cif("Na Na0 nan 0 0 1", CL), "fract_x of site 0 is 'nan', not a number"),
    "unknown coordinate": ("a.cif", cif("Na Na0 ? 0 0 1", CL), r"fract_x of site 0 is '\?', not a number"),
    "infinite coordinate": ("a.cif", cif("Na Na0 inf 0 0 1", CL), "fract_x of site 0 is 'inf', not a number"),
    "unknown element": ("a.cif", cif("Xx Xx1 0 0 0 1", CL), "unknown element 'X"),
    "no element": ("a.cif", cif("12 12 0 0 0 1", CL), "unknown element '12' at site 0"),
    "a group that pymatgen leaves out": (
        "a.cif",
        cif(NA, "OH O1 0.5 0.5 0.5 1", formula="Na1 O1 H1"),
        "unknown element 'OH' at site 1",
    ),
    "a group without a formula": ("a.cif", cif(NA, "NO3 N1 0.5 0.5 0.5 1"), "unknown element 'NO3'"),
    "atoms that the formula lacks": (
        "a.cif",
        cif(NA, CL, formula="Na1"),
        "states 'Na1', but its sites hold 'Na1 Cl1'",
    ),
    "hydrogen without positions": (
        "a.cif",
        cif(NA, "O O1 0.5 0.5 0.5 1", formula="Na1 O1 H2"),
        "states 'Na1 O1 H2', but its sites hold 'Na1 O1'",
    ),
    "water without hydrogen": ("a.cif", cif(NA, "Wat O1 0.5 0.5 0.5 1"), "without positions"),
    "a row too short": ("a.cif", NACL_CIF.replace("  Cl  Cl1  0.5", "  Cl  Cl1"), "CIF cannot be read"),
    "zero length": ("a.cif", cif(cell_length_a="0"), UNREADABLE),
    "zero volume": ("a.cif", cif(cell_angle_gamma="0.0001"), UNREADABLE),
    "impossible angles": ("a.cif", cif(cell_angle_gamma="179", cell_angle_alpha="10"), UNREADABLE),
    "a tiny cell": ("a.cif", cif(cell_length_a="0.3"), "repeats every 0.3 A"),
    "a length that is no number": ("a.cif", cif(cell_length_a="4,0"), "length_a is '4,0', not a number"),
    "lengths in picometres": (
        "a.cif",
        re.sub(r"(_cell_length_.) +4.0", r"\1 564", NACL_CIF),
        "are lengths in picometres",
    ),
    "an underscore in a length": ("a.cif", cif(cell_length_a="4_0"), "length_a is '4_0', not a number"),
    "an underscore in an angle": ("a.cif", cif(cell_angle_beta="9_0"), "beta is '9_0', not a number"),
    "an underscore in a coordinate": (
        "a.cif",
        cif(NA, "Cl Cl1 0.5 0.5 0_5 1"),
        "fract_z of site 1 is '0_5', not a number",
    ),
    "a minus sign of a typesetter": ("a.cif", cif("Na Na0 \u22120.25 0 0 1", CL), r"MINUS SIGN \(U\+2212\)"),
    "a dash in an operation": (
        "a.cif",
        NACL_CIF.replace("loop_", "loop_\n_symmetry_equiv_pos_as_xyz\n'x, y, z'\n'\u2013x, y, z'\nloop_", 1),
        "with EN DASH",
    ),
    "a decimal point of a typesetter": ("a.cif", cif("Na Na0 0\u00b725(3) 0 0 1", CL), "with MIDDLE DOT"),
    "a digit of another script": ("a.cif", cif(cell_length_a="4\uff10"), "with FULLWIDTH DIGIT ZERO"),
    "an underscore in a space group": (
        "a.cif",
        NACL_CIF.replace("_symmetry_space_group_name_H-M   'P 1'", "_space_group_IT_number 2_25"),
        "number of the space group is '2_25'",
    ),
    "zero bytes": ("a.cif", "data_\0\0", "not text: it contains zero bytes"),
    "damaged compression": ("a.cif.gz", gzip.compress(NACL_CIF.encode())[:-20], "damaged or truncated"),
    "an incommensurate crystal": (
        "a.mcif",
        NACL_CIF.replace("loop_", "_cell_modulation_dimension 1\n_space_group_magn.name_BNS 'P1'\nloop_", 1),
        "modulated structures are not supported",
    ),
    "a POSCAR without elements": ("POSCAR", poscar(_5=None, _8="0 0 0", _9="0.5 0.5 0.5"), "not name its"),
    "an empty POSCAR": ("POSCAR", "\n\n", "the POSCAR is empty"),
    "a POSCAR that ends early": ("POSCAR", NACL_POSCAR.partition("0.0 0.0 0.0 Na")[0], "only 0 lines"),
    "a POSCAR with three scales": ("POSCAR", poscar(_1="1 1 2"), "'1 1 2' is not a number"),
    "a POSCAR of zero volume": ("POSCAR", poscar(_3="4.0 0.0 0.0"), "POSCAR cannot be read|volume"),
    "a POSCAR with NaN": ("POSCAR", poscar(_8="nan 0 0 Na"), "position in line 9 is 'nan 0 0 Na', not three"),
    "a POSCAR with an underscore": ("POSCAR", poscar(_9="0_5 0 0 Cl"), "position in line 10 is '0_5 0 0 Cl'"),
    "a POSCAR with an underscore in its cell": ("POSCAR", poscar(_3="0 4_0 0"), "line 4 is '0 4_0 0'"),
    "a POSCAR with an underscore in its scale": ("POSCAR", poscar(_1="1_0"), "scale '1_0' is not a number"),
    "a POSCAR with too few numbers": ("POSCAR", poscar(_8="0.0 0.0 Na"), "line 9 is '0.0 0.0 Na', not three"),
    "a POSCAR of an unknown element": ("POSCAR", poscar(_5="Na Qq"), "POSCAR cannot be read|unknown element"),
    "a file that is no POSCAR": ("a.vasp", "INCAR = 1\n", "POSCAR cannot be read"),
}  # fmt: skip


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_file_is_a_reject_that_names_it(tmp_path, kind, recwarn, capfd):
    name, content, reason = BROKEN[kind]
    folder = tmp_path / "crystals"
    folder.mkdir()
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    (folder / "zz.cif").write_text(NACL_CIF)
    found = Sampled(tmp_path, folder)
    assert found.ids == ["zz"]
    (rejected,) = found.rejected
    assert rejected["source_file"] == str(folder / name)
    assert re.search(reason, rejected["reason"])
    # Warnings of pymatgen do not reach the user.
    assert not recwarn.list
    assert "warn" not in capfd.readouterr().err.lower()


def read(content, name="a.cif", folder=None):
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(content)
    found = Sampled(folder, folder / name)
    assert found.rejected == []
    (row,) = found.rows
    return row


@pytest.mark.parametrize(
    ("sites", "formula"),
    [
        (("Fe3+ Fe0 0 0 0 1", "O2- O1 0.5 0.5 0.5 1"), "FeO"),
        (("D D0 0 0 0 1", "O O1 0.5 0.5 0.5 1"), "H2O2"),
        (("Na Na0 0 0 0 0.5", "K K1 0 0 0 0.5", CL), "KNaCl2"),
        (("Na Na0 0 0 0 0.333", "K K1 0 0 0 0.333", "Rb Rb 0 0 0 0.334", CL), None),
        (("Na Na0 0 0 0 0.9", CL), "Na9Cl10"),
        (("Na Na0 0 0 0 1.0005", CL), "NaCl"),
        (("Na Na0 0.0(2) 0 0 1", "Cl Cl1 0.50(1) 0.5 0.5 1.0(3)"), "NaCl"),
        (("Na Na0 0 0 0 ?", "Cl Cl1 0.5 0.5 0.5 ?"), "NaCl"),
        (("O O0 0.49 0.5 0.5 0.5", "O O1 0.51 0.5 0.5 0.5", NA), "Na2O2"),
        (("Na Na0 5.0 -3.0 0 1", CL), "NaCl"),
    ],
    ids=[
        "charged",
        "deuterated",
        "disordered",
        "rounded thirds",
        "vacancies",
        "rounded above one",
        "uncertainties",
        "unknown occupancies",
        "split site",
        "outside the cell",
    ],
)  # fmt: skip
def test_unusual_crystals_are_read(tmp_path, sites, formula):
    row = read(cif(*sites), folder=tmp_path / "in")
    if formula is not None:
        assert Structure.from_str(row["structure"], fmt="json").composition.reduced_formula
        assert row["formula"] == formula


def test_a_magnetic_cif_is_read_without_its_moments(tmp_path):
    magnetic = """loop_
_atom_site_moment.label
_atom_site_moment.crystalaxis_x
_atom_site_moment.crystalaxis_y
_atom_site_moment.crystalaxis_z
Na0 0 0 2.0
"""
    row = read(NACL_CIF + magnetic, "a.mcif", tmp_path / "in")
    assert row["formula"] == "NaCl"
    assert "magmom" not in row["structure"]


def test_blocks_without_atoms_do_not_matter(tmp_path):
    text = f"data_global\n_journal_name_full 'A journal'\n\n{NACL_CIF}\ndata_refinement\n_refine_ls_R 0.05\n"
    assert read(text, folder=tmp_path / "in")["formula"] == "NaCl"


def test_symmetry_is_applied_and_thirds_are_completed(tmp_path):
    text = """data_Mg
_symmetry_space_group_name_H-M   'P 63/m m c'
_symmetry_Int_Tables_number 194
_cell_length_a   3.2
_cell_length_b   3.2
_cell_length_c   5.2
_cell_angle_alpha   90
_cell_angle_beta   90
_cell_angle_gamma   120
loop_
 _atom_site_label
 _atom_site_fract_x
 _atom_site_fract_y
 _atom_site_fract_z
  Mg1  0.3333  0.6667  0.25
"""
    row = read(text, folder=tmp_path / "in")
    assert (row["n_sites"], row["formula"], row["space_group"]) == (2, "Mg", 194)


def test_coordinates_of_a_cell_without_symmetry_are_not_rounded(tmp_path):
    row = read(cif("Na Na0 0 0 0.33334 1", CL), folder=tmp_path / "in")
    assert [site["abc"][2] for site in json.loads(row["structure"])["sites"]].count(0.33334) == 1


@pytest.mark.parametrize("scale", ["1.0", "-64.0"])
@pytest.mark.parametrize("kind", ["direct", "Cartesian", "Selective dynamics\ndirect"])
def test_forms_of_poscars(tmp_path, scale, kind):
    places = ("0 0 0", "2 2 2") if kind == "Cartesian" else ("0 0 0", "0.5 0.5 0.5")
    flags = " T T F" if kind.startswith("S") else ""
    text = poscar(_1=scale, _7=kind, _8=places[0] + flags, _9=places[1] + flags)
    row = read(text, "POSCAR", tmp_path / "in")
    assert (row["formula"], row["volume"]) == ("NaCl", pytest.approx(64.0))


def test_atoms_may_be_as_close_as_the_shortest_bond():
    """In molecular hydrogen, 0.74 A."""
    assert OVERLAP_A < 0.7
    structure = Structure([[4, 0, 0], [0, 4, 0], [0, 0, 4]], ["H", "H"], [[0, 0, 0], [0.185, 0, 0]])
    assert checked_crystal("a", crystal_from_json(json.dumps(structure.as_dict()))).formula == "H2"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda stated: stated.update(charge=1), "net charge of 1"),
        (lambda stated: stated.update(charge="x"), "charge is 'x'"),
        (lambda stated: stated.pop("lattice"), "lattice is missing"),
        (lambda stated: stated["lattice"].pop("matrix"), "no 3 x 3 matrix"),
        (lambda stated: stated["lattice"].update(pbc=[True, True, False]), "lattice.pbc is"),
        (
            lambda stated: stated["lattice"].update(matrix=[[1, 0, 0], [0, 1, 0], [1, 1, 0]]),
            "cell volume is 0",
        ),
        (lambda stated: stated["lattice"].update(matrix=[[float("nan"), 0, 0]] * 3), "finite"),
        (lambda stated: stated.update(sites=[]), "no sites"),
        (lambda stated: stated["sites"][0].update(abc=[0, None, 0]), "not a number"),
        (lambda stated: stated["sites"][1].update(abc=stated["sites"][0]["abc"]), "xyz of site 1 has"),
        (
            lambda stated: stated["sites"][1].update(
                {name: stated["sites"][0][name] for name in ("abc", "xyz")}
            ),
            "overlap",
        ),
        (lambda stated: stated.update({"@class": "Molecule"}), "JSON of 'Molecule', not of a Structure"),
    ],
)
def test_a_broken_structure_of_a_table_is_a_reject(change, reason):
    stated = json.loads(json.dumps(structures()["test000"].as_dict()))
    change(stated)
    with pytest.raises(InvalidEntryError, match=reason):
        checked_crystal("a", crystal_from_json(stated))


PICOMETRES = {
    "salt": (np.eye(3) * 564, [[0, 0, 0], [0.5, 0.5, 0.5]]),
    "hydrogen molecules": (np.eye(3) * 377, [[0, 0, 0], [0.2, 0, 0]]),
    "a sheared cell": ([[250, 0, 0], [1000, 250, 0], [0, 0, 670]], [[0, 0, 0], [1 / 3, 2 / 3, 0]]),
}
ANGSTROMS = {
    "an atom in a box": (np.eye(3) * 40, [[0, 0, 0]]),
    "a molecule in a box": (np.eye(3) * 300, [[0, 0, 0], [0.0025, 0, 0]]),
    "a chain": (np.diag([2.5, 300, 300]), [[0, 0, 0]]),
    "a layer": (np.diag([2.5, 2.5, 9000]), [[0, 0, 0]]),
    "a sheared chain": ([[400, 0, 0], [399, 2.5, 0], [0, 0, 500]], [[0, 0, 0]]),
}


@pytest.mark.parametrize("kind", PICOMETRES)
def test_lengths_in_picometres_are_noticed(kind):
    matrix, positions = PICOMETRES[kind]
    with pytest.raises(spacing.SpacingError, match="more than 50 A .* picometres"):
        spacing.check_isolation(np.array(matrix, float), np.array(positions, float))
    spacing.check_isolation(np.array(matrix) / 100, np.array(positions, float))


def test_a_free_atom_is_named_as_one():
    message = "the only atom is more than 50 A from its periodic images: it is a free atom, not a crystal, or"
    with pytest.raises(spacing.SpacingError, match=message):
        spacing.check_isolation(np.eye(3) * 60.0, np.zeros((1, 3)))


@pytest.mark.parametrize("kind", ANGSTROMS)
def test_vacuum_is_not_taken_for_another_unit(kind):
    spacing.check_isolation(*(np.array(values, float) for values in ANGSTROMS[kind]))


@pytest.mark.parametrize("most_compared", [0, 150])
def test_alternative_positions_hold_no_more_than_one_atom(monkeypatch, most_compared):
    monkeypatch.setattr(spacing, "MAX_SITES_COMPARED", most_compared)
    cell = np.eye(3) * 4.0
    # On a circle around an axis: each is close to both others.
    three = np.array([[0.05, 0, 0], [-0.025, 0.0433, 0], [-0.025, -0.0433, 0], [0.5, 0.5, 0.5]])
    spacing.check_overlaps(cell, three, np.array([0.33, 0.33, 0.33, 1]))
    with pytest.raises(spacing.SpacingError, match=r"sites \d, \d and others overlap: .* add up to 1.5"):
        spacing.check_overlaps(cell, three, np.array([0.5, 0.5, 0.5, 1]))
    # In a row: the outer two are not close to each other.
    row = np.array([[0, 0, 0], [0.1, 0, 0], [0.2, 0, 0]])
    spacing.check_overlaps(cell, row, np.array([0.5, 0.5, 0.5]))
    with pytest.raises(spacing.SpacingError, match="sites 0 and 1 overlap: they are 0.4 A apart"):
        spacing.check_overlaps(cell, row, np.array([0.6, 0.5, 0.5]))


def test_the_quick_test_of_distances_agrees_with_the_search(monkeypatch):
    rng = np.random.default_rng(0)
    for _ in range(300):
        matrix = rng.normal(size=(3, 3)) * rng.uniform(0.5, 5)
        positions = rng.uniform(-1, 2, size=(rng.integers(1, 6), 3))
        occupancies = rng.choice([0.5, 1.0], size=len(positions))
        outcomes = []
        for most in (0, 150):
            monkeypatch.setattr(spacing, "MAX_SITES_COMPARED", most)
            try:
                outcomes.append(spacing.check_overlaps(matrix, positions, occupancies))
            except spacing.SpacingError as error:
                outcomes.append(str(error))
        assert outcomes[0] == outcomes[1]
