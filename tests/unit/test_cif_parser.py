"""What the parser of CIFs remembers between files changes no result."""

import pytest
from crystal_files import NACL_CIF
from pymatgen.io.cif import CifParser

from polyfacet.sources.structures.cif_parser import CachingCifParser
from polyfacet.sources.structures.texts import crystal_from_cif
from polyfacet.sources.values import InvalidEntryError

WITHOUT_FORMULA = NACL_CIF.replace("_chemical_formula_sum   'Na1 Cl1'\n", "")
UNKNOWN_SETTING = WITHOUT_FORMULA.replace(
    "_symmetry_space_group_name_H-M   'P 1'",
    "_symmetry_Int_Tables_number 14\n_space_group_name_H-M_alt 'P 21/n'",
)
BY_SYMBOL = WITHOUT_FORMULA.replace("'P 1'", "'F m -3 m'")


@pytest.mark.filterwarnings("ignore")
def test_operations_are_derived_once_and_warned_of_for_each_file(monkeypatch):
    calls = []
    derive = CifParser.get_symops
    monkeypatch.setattr(CifParser, "get_symops", lambda *args: calls.append(1) or derive(*args))
    parsers = [CachingCifParser.from_str(BY_SYMBOL.replace("4.0", size)) for size in ("4.1", "4.2")]
    found = [parser.parse_structures(primitive=False, check_occu=False)[0] for parser in parsers]
    assert [len(structure) for structure in found] == [8, 8]
    assert len(calls) <= 1
    assert all("_symmetry_space_group_name_H-M used" in " ".join(parser.warned) for parser in parsers)


def test_an_unknown_setting_is_a_reject_in_every_file():
    for _ in range(3):
        with pytest.raises(InvalidEntryError, match=r"setting .*'P 21/n'"):
            crystal_from_cif(UNKNOWN_SETTING)
        assert len(crystal_from_cif(BY_SYMBOL).structure["sites"]) == 8


def test_what_is_wrong_is_said_even_if_the_parser_cannot_correct_the_file():
    # The parser looks for labels before it reads any number.
    atom = "_atom_site_type_symbol Na\n_atom_site_fract_x 0\n_atom_site_occupancy 1\n"
    with pytest.raises(InvalidEntryError, match="_atom_site_occupancy is not in a loop"):
        crystal_from_cif(WITHOUT_FORMULA.partition("loop_")[0] + atom)


def test_numbers_of_sites_that_the_parser_replaces_are_checked_as_they_are_written():
    mixed = WITHOUT_FORMULA.replace("  Na  Na0  0.0", "  '0.8Na + 0.2K'  Na,K  .")
    with pytest.raises(InvalidEntryError, match=r"_atom_site_fract_x of site 0 is '\.'"):
        crystal_from_cif(mixed)
