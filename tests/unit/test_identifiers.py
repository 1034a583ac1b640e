"""Identifiers of any characters become identifiers of the project, and stay apart."""

import pytest
from crystal_files import NACL_CIF, Sampled

from polyfacet.materials.stated_values import STATED_ID
from polyfacet.runtime.identifiers import invalid_mat_id_reason, usable_mat_id

ODD_NAMES = [
    "iron oxide",
    "Fe2O3/Al2O3",
    "üñí",
    "氧化铁",
    "../x",
    "a" * 65,
    "a\nb",
    "\udcff",
    "..",
    ".",
    ".x",
    "a b",
    "a_b ",
]


def test_a_valid_identifier_stays_as_it_is():
    assert [usable_mat_id(stated) for stated in ("agm001", "a.b-c_d", "")] == ["agm001", "a.b-c_d", ""]


@pytest.mark.parametrize("stated", ODD_NAMES)
def test_any_other_becomes_a_valid_one(stated):
    assert invalid_mat_id_reason(stated)
    assert invalid_mat_id_reason(usable_mat_id(stated)) is None
    assert usable_mat_id(stated) == usable_mat_id(stated)


def test_it_resembles_the_stated_one_and_is_not_that_of_another():
    assert usable_mat_id("iron oxide").startswith("iron_oxide-")
    assert usable_mat_id("üñí").startswith("uni-")
    assert len({usable_mat_id(stated) for stated in ODD_NAMES}) == len(ODD_NAMES)
    long = ["a" * 70 + end for end in "bc"]
    assert usable_mat_id(long[0]) != usable_mat_id(long[1])


def test_files_of_any_name_are_sampled(tmp_path):
    folder = tmp_path / "crystals"
    folder.mkdir()
    names = ["Na Cl", "üñí", "plain", "n" * 100]
    for name in names:
        (folder / f"{name}.cif").write_text(NACL_CIF)
    found = Sampled(tmp_path, folder)
    assert found.rejected == []
    assert found.ids == sorted(map(usable_mat_id, names))
    stated = {data.get(STATED_ID, mat_id) for mat_id, data in found.data.items()}
    assert stated == {*names[:3], "n" * 80}
