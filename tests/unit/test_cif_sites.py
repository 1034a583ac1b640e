"""Sites of a CIF are read as they are stated, or the CIF is a reject that names them."""

import pytest
from crystal_files import NACL_CIF

from polyfacet.sources.structures.texts import crystal_from_cif
from polyfacet.sources.values import InvalidEntryError

WITHOUT_FORMULA = NACL_CIF.replace("_chemical_formula_sum   'Na1 Cl1'\n", "")
WITHOUT_SYMBOLS = WITHOUT_FORMULA.replace(" _atom_site_type_symbol\n", "").replace("  Cl  Cl1", "  Cl1")

GROUPS = """NH4 CN PO4 SO4 CH3 H2O OW RE Va Vac VAC
    Uuo Nx OH NO3 Bq Du X Na1 FE . ?"""
FOREIGN_LABELS = "Va1 Vac VAC1 Bq Du1 Hal1 Alk Ow1 OH1 H2O1 NH4 CH3 M1 X1 FE1 1 T1 D1 D Al/Si Al,Si1"


def with_site(row, text=WITHOUT_FORMULA):
    """Return the CIF of NaCl with another first site."""
    start = text.index("  Na")
    return f"{text[:start]}  {row}\n{text[text.index(chr(10), start) + 1 :]}"


def occupants(text):
    return [site["species"][0] for site in crystal_from_cif(text).structure["sites"]]


def test_a_place_that_is_no_atom_is_a_reject():
    flags = with_site("Na Na0 0 0 0 1 {}").replace("_occupancy\n", "_occupancy\n _atom_site_calc_flag\n")
    flags = flags.rstrip() + " calc\n"
    assert len(occupants(flags.format("d"))) == 2
    with pytest.raises(InvalidEntryError, match="site 0 is no atom"):
        crystal_from_cif(flags.format("dum"))


def test_loops_may_begin_in_capitals():
    text = with_site("Na Na0 0 0 0 1")
    assert occupants(text.replace("loop_", "LOOP_")) == occupants(text)


@pytest.mark.parametrize("occupancy", ["0,5", "1/2", "50%", "abc", "0.25(", "'1 2'", "nan", ".", "1e999"])
def test_an_occupancy_that_is_no_number_is_a_reject(occupancy):
    with pytest.raises(InvalidEntryError, match=r"occupancy of site 0 is '.+', not a number"):
        crystal_from_cif(with_site(f"Na Na0 0 0 0 {occupancy}"))


@pytest.mark.parametrize(
    ("occupancy", "expected"),
    [("0.5", 0.5), (".5", 0.5), ("1.", 1), ("0.5(1)", 0.5), ("5e-1", 0.5), ("+0.5", 0.5), ("?", 1)],
)
def test_an_occupancy_that_is_a_number_is_read(occupancy, expected):
    assert {"element": "Na", "occu": expected} in occupants(with_site(f"Na Na0 0 0 0 {occupancy}"))


@pytest.mark.parametrize("place", [". 0 0", "0 . 0", "0 0 ."])
def test_a_coordinate_that_is_not_stated_is_a_reject(place):
    with pytest.raises(InvalidEntryError, match=r"_atom_site_fract_[xyz] of site 0 is '\.'"):
        crystal_from_cif(with_site(f"Na Na0 {place} 1"))


@pytest.mark.parametrize("symbol", GROUPS.split())
def test_a_type_symbol_that_is_no_element_is_a_reject(symbol):
    with pytest.raises(InvalidEntryError, match="unknown element '.+' at site 0"):
        crystal_from_cif(with_site(f"{symbol} Na0 0 0 0 1"))


@pytest.mark.parametrize(
    ("symbol", "element"),
    [("Fe", "Fe"), ("Fe3+", "Fe"), ("Fe+3", "Fe"), ("O2-", "O"), ("K+", "K"), ("Fe2.5+", "Fe"), ("D", "H")],
)
def test_elements_isotopes_and_ions_are_read(symbol, element):
    assert element in {occupant["element"] for occupant in occupants(with_site(f"{symbol} M1 0 0 0 1"))}


@pytest.mark.parametrize("label", FOREIGN_LABELS.split())
def test_a_label_that_names_no_element_is_a_reject(label):
    with pytest.raises(InvalidEntryError, match="element '.+' at site 0.*: add _atom_site_type_symbol"):
        crystal_from_cif(with_site(f"{label} 0 0 0 1", WITHOUT_SYMBOLS))


@pytest.mark.parametrize(
    ("label", "element"),
    [
        ("Fe", "Fe"),
        ("Fe1", "Fe"),
        ("Fe3+", "Fe"),
        ("O1A", "O"),
        ("O1'", "O"),
        ("C(1)", "C"),
        ("V1", "V"),
        ("H1", "H"),
    ],
)
def test_labels_of_elements_are_read(label, element):
    text = with_site(f"{label} 0 0 0 1", WITHOUT_SYMBOLS)
    assert element in {occupant["element"] for occupant in occupants(text)}


SITES = "MgM1 MgM2 SiT CaM2 NaA FeIII OA1 OW1"


def labelled(label, formula):
    """Return the CIF of a chloride that names its sites by labels only, with a formula."""
    text = with_site(f"{label} 0 0 0 1", WITHOUT_SYMBOLS)
    return text.replace("loop_", f"_chemical_formula_sum '{formula}'\nloop_", 1)


@pytest.mark.parametrize("label", SITES.split())
def test_a_label_of_a_kind_of_site_is_read_if_the_formula_confirms_it(label):
    element = "O" if label.startswith("O") else label[:2]
    found = occupants(labelled(label, f"{element}1 Cl1"))
    assert {"element": element, "occu": 1} in found
    with pytest.raises(InvalidEntryError, match="add _atom_site_type_symbol"):
        crystal_from_cif(with_site(f"{label} 0 0 0 1", WITHOUT_SYMBOLS))
    with pytest.raises(InvalidEntryError, match="add _atom_site_type_symbol"):
        crystal_from_cif(labelled(label, "K1 Cl1"))


@pytest.mark.parametrize(
    ("label", "formula", "element"),
    [
        ("FE1", "Fe Cl", "Fe"),
        ("CA1", "Ca Cl", "Ca"),
        ("CA1", "C Ca Cl2", None),
        ("CO1", "C O Cl", None),
        ("CO1", "C Cl", None),
        ("Alk", "Al Cl", None),
        ("Vac1", "V Cl", None),
        ("OH1", "O Cl", None),
        ("D1", "D Cl", "H"),
        ("D1", "H Cl", None),
        ("T1", "Si Cl", None),
        ("Al/Si", "Al Cl", "Al"),
        ("Al/Si", "Al Si Cl2", None),
        ("Al/Si", "Si Cl", None),
    ],
)
def test_a_label_with_several_readings_needs_a_formula_that_has_one(label, formula, element):
    if element is not None:
        assert element in {occupant["element"] for occupant in occupants(labelled(label, formula))}
        return
    with pytest.raises(InvalidEntryError, match="add _atom_site_type_symbol"):
        crystal_from_cif(labelled(label, formula))


def test_atoms_outside_a_loop_are_a_reject():
    text = WITHOUT_FORMULA[: WITHOUT_FORMULA.index("loop_")]
    keys = ("label Cu1", "fract_x 0", "fract_y 0", "fract_z 0")
    with pytest.raises(InvalidEntryError, match="not in a loop"):
        crystal_from_cif(text + "".join(f"_atom_site_{key}\n" for key in keys))
