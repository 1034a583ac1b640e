"""Graphs of a shard: bad materials become rejects with reasons, without affecting the others."""

import pytest
from pymatgen.core import Lattice, Structure
from structure_stages import graphs_of_shard
from textbook_crystals import all_crystals, as_structure

from polyfacet.facets.graph import making
from polyfacet.facets.graph.crystal_graph import GRAPHS
from polyfacet.materials.cif import write_cif
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.parquet import read_table

CRYSTALS = all_crystals()
IRON = "Fe Fe1 0 0 0 1\n"

BAD = {
    "one-site-twice": ({}, IRON + "Fe Fe2 0 0 0 1\n", "Occupancy 2.0 exceeded"),
    "one-site-two-elements": ({}, IRON + "Ni Ni2 0 0 0 1\n", "Occupancy 2.0 exceeded"),
    "too-close": ({}, IRON + "Ni Ni2 0.0125 0 0 1\n", "atoms 0 and 1 are 0.05 A apart"),
    "no-volume": ({"_cell_angle_gamma": "0"}, IRON, "thickness"),
    "hardly-a-volume": ({"_cell_length_a": "0.02"}, IRON, "atoms 0 and 0 are 0.02 A apart"),
    "nan-position": ({}, "Fe Fe1 nan 0 0 1\n", "NaN"),
    "infinite-position": ({}, "Fe Fe1 inf 0 0 1\n", "infinity"),
    "nan-cell": ({"_cell_length_a": "nan"}, IRON, "NaN or infinity"),
    "lawrencium": ({}, "Lr Lr1 0 0 0 1\n", "[103] have no element features (the table ends at 100)"),
    "half-an-atom": ({}, "Fe Fe1 0 0 0 0.5\n", "not one element"),
    "no-structure": ({}, "", "cannot be read"),
}


def cif_text(cell: dict[str, str], sites: str) -> str:
    lengths = {f"_cell_length_{axis}": "4" for axis in "abc"}
    angles = {f"_cell_angle_{angle}": "90" for angle in ("alpha", "beta", "gamma")}
    lines = [f"{key} {value}" for key, value in (lengths | angles | cell).items()]
    columns = ["type_symbol", "label", "fract_x", "fract_y", "fract_z", "occupancy"]
    loop = ["loop_", *(f"_atom_site_{column}" for column in columns)]
    symmetry = ["loop_", "_symmetry_equiv_pos_as_xyz", "'x, y, z'"]
    return "\n".join(["data_bad", *lines, *symmetry, *loop, sites])


@pytest.fixture
def cifs(tmp_path):
    folder = tmp_path / "cif"
    folder.mkdir()
    for name, crystal in CRYSTALS.items():
        write_cif(as_structure(crystal), folder / f"{name}.cif")
    for name, (cell, sites, _) in BAD.items():
        (folder / f"{name}.cif").write_text(cif_text(cell, sites))
    return folder


def test_every_bad_material_is_rejected_with_its_reason(cifs, tmp_path):
    reasons = graphs_of_shard(cifs, [*BAD, *CRYSTALS], tmp_path / "graphs", limit=0.9)
    assert sorted(reasons.index) == sorted(BAD)
    for name, (_, _, reason) in BAD.items():
        assert reason in reasons[name], name
    assert read_table(tmp_path / "graphs", GRAPHS)["mat_id"].tolist() == sorted(CRYSTALS)


def test_too_many_rejects_stop_the_stage(cifs, tmp_path):
    with pytest.raises(UserError, match=r"(?s)max_rejected_fraction.*\[103\]"):
        graphs_of_shard(cifs, ["copper", "lawrencium"], tmp_path / "graphs")


def test_graphs_depend_neither_on_shards_nor_on_batches(cifs, tmp_path, monkeypatch):
    names = sorted(CRYSTALS)
    graphs_of_shard(cifs, names, tmp_path / "one")
    monkeypatch.setattr(making, "BATCH", 3)
    graphs_of_shard(cifs, names, tmp_path / "batches")
    assert (tmp_path / "batches").read_bytes() == (tmp_path / "one").read_bytes()
    together = read_table(tmp_path / "one", GRAPHS).set_index("mat_id")
    for number in range(2):
        graphs_of_shard(cifs, names[number::2], tmp_path / f"shard-{number}")
        for name, row in read_table(tmp_path / f"shard-{number}", GRAPHS).set_index("mat_id").iterrows():
            for column in together.columns:
                assert row[column].tobytes() == together.loc[name, column].tobytes()


def test_graph_is_computed_for_the_primitive_cell(cifs, tmp_path):
    structure = Structure.from_spacegroup("Fm-3m", Lattice.cubic(3.61), ["Cu"], [[0, 0, 0]])
    write_cif(structure, cifs / "conventional.cif")
    graphs_of_shard(cifs, ["conventional"], tmp_path / "graphs")
    assert len(read_table(tmp_path / "graphs", GRAPHS)["atomic_numbers"][0]) == 1
