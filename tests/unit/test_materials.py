"""Checking entries: valid ones keep what the workflow needs, all others are rejected with a reason."""

import copy
import json
import math

import pyarrow.parquet as pq
import pytest
from handmade import entry, rock_salt, structures, write_entries
from pymatgen.core import Structure

from polyfacet.sources.alexandria.material import material_from_entry
from polyfacet.sources.draw import Draw
from polyfacet.sources.reading import read_sample
from polyfacet.sources.values import InvalidEntryError

NACL = rock_salt("Na", "Cl", 5.64)


def broken(path, value):
    """Return a valid entry with one value replaced (or removed, if the value is ``...``)."""
    result = copy.deepcopy(entry("good", NACL))
    inner = result
    for key in path[:-1]:
        inner = inner[key]
    if value is ...:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return result


def test_a_valid_entry_keeps_structure_and_targets():
    material = material_from_entry(entry("good", NACL))
    assert material.volume == pytest.approx(NACL.volume)
    assert material.elements == {"Na", "Cl"}
    assert Structure.from_dict(json.loads(material.structure)) == NACL
    assert material.objectives == pytest.approx(
        {
            "gap": 1.2,
            "e_form": -0.7,
            "e_hull": 0.01,
            "e_total": -3.1,
            "mag_vol": 0.5 / NACL.volume,
            "vol_atom": NACL.volume / 2,
            "dos_ef": 0.4,
        }
    )


def test_magnetization_can_keep_its_sign():
    assert material_from_entry(entry("good", NACL), "signed").objectives["mag_vol"] < 0


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        (["structure"], ..., "structure is missing"),
        (["structure"], None, "structure is missing"),
        (["data"], ..., "data is missing"),
        (["data", "mat_id"], "../../x", "does not match"),
        (["data", "mat_id"], "..", "would name a folder"),
        (["data", "mat_id"], 7, "not a string"),
        (["data", "mat_id"], "a\n", "does not match"),
        (["data", "band_gap_ind"], math.nan, "band_gap_ind is nan"),
        (["data", "e_form"], None, "e_form is missing"),
        (["data", "dos_ef"], "much", "dos_ef is 'much', not a number"),
        (["data", "energy_total"], 10**400, "energy_total is inf"),
        (["data", "total_mag"], True, "not a number"),
        (["data", "nsites"], 3, "the structure has 2 sites"),
        (["data", "spg"], 0, "not a space group"),
        (["data", "nsites"], 2.5, "nsites is 2.5, not a whole number"),
        (["data", "spg"], 2.5, "spg is 2.5, not a whole number"),
        (["data", "formula"], 7, "formula is int, not str"),
        (["structure", "sites"], [], "no sites"),
        (["structure", "sites", 1, "species", 0, "element"], "Xx", "unknown element 'Xx' at site 1"),
        (["structure", "sites", 1, "abc"], [0.0, math.nan, 0.0], "site 1 is nan"),
        (["structure", "sites", 0, "abc"], [0.0], "three numbers"),
        (["structure", "lattice", "matrix"], [[1, 0, 0], [2, 0, 0], [0, 0, 1]], "cell volume is 0"),
        (["structure", "lattice"], ..., "lattice is missing"),
    ],
)
def test_every_defect_is_reported(path, value, reason):
    with pytest.raises(InvalidEntryError, match=reason):
        material_from_entry(broken(path, value))


@pytest.mark.parametrize("value", [None, 3, "text", [], {"data": []}])
def test_anything_but_an_entry_is_rejected(value):
    with pytest.raises(InvalidEntryError):
        material_from_entry(value)


def test_entries_without_properties_are_read_if_these_are_not_needed(tmp_path):
    items = [entry(mat_id, structure) for mat_id, structure in structures().items()]
    for name in ("band_gap_ind", "band_gap_dir", "e_form", "dos_ef"):
        del items[0]["data"][name]
    items[1]["data"]["e_above_hull"] = None
    items[2]["data"]["e_form"] = "low"
    path = write_entries(tmp_path / "e.json", items)
    outputs = tmp_path / "sample.parquet", tmp_path / "rejected.parquet"
    assert read_sample([path], *outputs, draw=Draw(None, 0)).counts["invalid"] == 3
    read = read_sample([path], *outputs, draw=Draw(None, 0), need_properties=False)
    assert read.reasons == ["e_form is 'low', not a number"]
    rows = {row["mat_id"]: row for row in pq.read_table(outputs[0]).to_pylist()}
    assert (rows["test000"]["gap"], rows["test000"]["dos_ef"]) == (None, None)
    assert rows["test000"]["vol_atom"] == pytest.approx(structures()["test000"].volume / 2)
    assert rows["test001"]["e_hull"] is None
