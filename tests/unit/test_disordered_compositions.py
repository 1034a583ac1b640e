"""Roundings of one composition count as one composition: in splits, among twins and for pretraining."""

import itertools
import json
from collections.abc import Sequence

import pandas as pd
import pyarrow.parquet as pq
import pytest
from handmade import cesium_chloride, entry, rock_salt, write_entries
from pymatgen.core import Lattice, Structure

import find_twins
import sample as sample_script
import sample_pretraining
import split_materials
from polyfacet.materials.disordered_compositions import (
    KnownCompositions,
    chemical_system,
    disordered_groups,
    is_rounded,
)
from polyfacet.materials.reduced_formula import reduced_formula
from polyfacet.runtime.parquet import read_table
from polyfacet.splits.parts import SPLIT


def alloy(iron: float, a: float = 3.6) -> Structure:
    """Iron and nickel on one site."""
    return Structure(Lattice.cubic(a), [{"Fe": iron, "Ni": 1 - iron}], [[0, 0, 0]])


def disordered_entry(mat_id: str, cell: Structure) -> dict[str, object]:
    amounts = {element.symbol: amount for element, amount in cell.composition.items()}
    return entry(mat_id, cell, formula=reduced_formula(amounts))


def sampled(folder, cells, settings=()):
    folder.mkdir(exist_ok=True)
    source = write_entries(folder / "entries.json", [disordered_entry(*item) for item in cells.items()])
    outputs = [folder / name for name in ("sample.parquet", "rejected.parquet", "summary.json")]
    settings = {"n_materials": "all", "seed": 0, "filters": {}, "magnetization": "absolute"}
    sample_script.main([source], *outputs, **settings, max_rejected_fraction=0.0)
    return outputs[0]


@pytest.mark.parametrize(
    ("first", "second"),
    [("Fe0.2928Ni0.7072", "Fe0.293Ni0.707"), ("Fe29Ni70", "Fe0.2928Ni0.7072"), ("FeNi", "Fe0.5006Ni0.4994")],
)
def test_formulas_of_one_composition_are_one_group(first, second):
    groups = disordered_groups({"a": first, "b": second, "c": "Fe3Ni7"}, {"a": 1, "b": 1, "c": 10})
    assert groups["a"] == groups["b"] == min(first, second)
    assert groups["c"] == "Fe3Ni7"


def test_exact_formulas_are_not_compared():
    """Large ordered cells that differ by less than a rounding are still two compositions."""
    formulas = {"a": "Ca63O64", "b": "Ca64O65", "c": "CaO"}
    assert disordered_groups(formulas, {"a": 127, "b": 129, "c": 2}) == formulas


@pytest.mark.parametrize(
    ("formula", "n_sites", "expected"),
    [
        ("NaCl", 2, False),
        ("NaCl", 8, False),
        ("Ca3(PO4)2", 26, False),
        ("FeCoO2", 4, False),
        ("FeCoO2", 2, True),
        ("MgO2", 2, True),
        ("Fe0.2928Ni0.7072", 100, True),
        ("O2", 4, False),
    ],
)
def test_formulas_of_full_sites_are_exact(formula, n_sites, expected):
    assert is_rounded(formula, n_sites) == expected


def test_the_chemical_system_of_a_formula():
    assert chemical_system("Ca3(PO4)2") == "Ca-O-P"
    assert chemical_system("Fe0.2928Ni0.7072") == "Fe-Ni"


def test_compositions_of_a_solid_solution_are_not_chained():
    """Compositions in steps of half a percent stay separate."""
    formulas = {f"m{i}": reduced_formula({"Fe": 0.2 + i / 200, "Ni": 0.8 - i / 200}) for i in range(60)}
    assert len(set(disordered_groups(formulas, dict.fromkeys(formulas, 1)).values())) == 60


def test_compositions_with_two_elements_on_one_site_are_not_chained():
    """Two percent on one site of a perovskite, whose other sites are full."""
    formulas = {
        f"m{i}": reduced_formula({"Ba": 1, "Ti": 1 - i / 50, "Zr": i / 50, "O": 3}) for i in range(1, 50)
    }
    assert len(set(disordered_groups(formulas, dict.fromkeys(formulas, 5)).values())) == 49


THIRDS = [(0.333, 0.333, 0.334), (0.33, 0.33, 0.34), (0.34, 0.33, 0.33), (1 / 3, 1 / 3, 1 / 3)]


def shared(shares: Sequence[float], a: float = 3.6, anion: str | None = None) -> Structure:
    """Several elements on one site, in rock salt or alone."""
    occupancies = dict(zip(("Fe", "Co", "Ni", "Mn", "Cr"), shares, strict=False))
    if anion:
        return Structure(Lattice.cubic(a), [occupancies, anion], [[0, 0, 0], [0.5, 0.5, 0.5]])
    return Structure.from_spacegroup("Fm-3m", Lattice.cubic(a), [occupancies], [[0, 0, 0]])


def twins_and_compositions(folder, cells):
    """Return which materials are twins, and which are one composition in the `formula` split."""
    sample = sampled(folder, cells)
    find_twins.main(sample, folder / "twins.parquet", shard=0, n_shards=1)
    table = read_table(sample)
    formulas = dict(zip(table["mat_id"], table["formula"], strict=True))
    n_sites = dict(zip(table["mat_id"], table["n_sites"], strict=True))
    return set(read_table(folder / "twins.parquet")["mat_id"]), disordered_groups(formulas, n_sites)


@pytest.mark.parametrize("anion", [None, "O"])
@pytest.mark.parametrize(("first", "second"), list(itertools.combinations(THIRDS, 2)))
def test_roundings_that_leave_a_remainder_are_twins_of_one_composition(tmp_path, first, second, anion):
    cells = {"a": shared(first, anion=anion), "b": shared(second, anion=anion)}
    cells["c"] = shared((0.30, 0.35, 0.35), anion=anion)
    twins, composition = twins_and_compositions(tmp_path, cells)
    assert twins == {"a", "b"}
    assert composition["a"] == composition["b"] != composition["c"]


def test_only_remainders_of_many_elements_may_differ_by_more(tmp_path):
    cells = {
        "a": shared((0.2, 0.2, 0.2, 0.2, 0.2)),
        "b": shared((0.19, 0.21, 0.2, 0.2, 0.2)),
        "c": shared((0.185, 0.185, 0.2, 0.2, 0.23)),
        "d": shared((0.188, 0.188, 0.208, 0.208, 0.208)),
    }
    twins, _ = twins_and_compositions(tmp_path, cells)
    assert twins == {"a", "b"}


CELLS = {
    "a": alloy(0.2931),
    "b": alloy(0.2933),
    "c": rock_salt("Na", "Cl", 5.6),
    "d": rock_salt("K", "Br", 6.6),
    "e": cesium_chloride("Cs", "Cl", 4.12),
    "f": alloy(0.8),
}


@pytest.mark.parametrize("method", ["formula", "column", "random"])
def test_a_split_does_not_divide_roundings_of_one_composition(tmp_path, method):
    """The random split keeps them together because they are twins."""
    sample = sampled(tmp_path / "data", CELLS)
    formulas = read_table(sample).set_index("mat_id")["formula"]
    assert formulas["a"] != formulas["b"]
    tables = [tmp_path / f"twins-{shard}.parquet" for shard in range(3)]
    for shard, table in enumerate(tables):
        find_twins.main(sample, table, shard=shard, n_shards=3)
    found = pd.concat([read_table(table) for table in tables])
    assert set(found["mat_id"]) == {"a", "b"}
    assert dict(zip(found["mat_id"], found["formula"], strict=True)) == {m: formulas[m] for m in "ab"}
    for repeat in range(5):
        split = tmp_path / "split.parquet"
        settings = {"train_fraction": 0.6, "validation_fraction": 0.3, "seed": 0, "repeat": repeat}
        column = "formula" if method == "column" else None
        twins = tables if method == "random" else []
        split_materials.main(sample, split, method=method, column=column, twins=twins, **settings)
        parts = read_table(split, SPLIT).set_index("mat_id")["part"]
        assert parts["a"] == parts["b"]


def test_roundings_of_the_sample_are_not_used_for_pretraining(tmp_path):
    sample = sampled(tmp_path / "data", {"a": alloy(0.2931), "c": rock_salt("Na", "Cl", 5.6)})
    cells = {"b": alloy(0.2933, a=4.0), "f": alloy(0.8), "g": rock_salt("Na", "Cl", 5.9)}
    source = write_entries(tmp_path / "more.json", [disordered_entry(*item) for item in cells.items()])
    outputs = [tmp_path / name for name in ("pretraining.parquet", "pretraining.json")]
    draw = {"n_materials": 9, "seed": 0, "filters": {}, "magnetization": "absolute"}
    sample_pretraining.main([source], sample, *outputs, **draw)
    assert pq.read_table(outputs[0])["mat_id"].to_pylist() == ["f"]
    assert json.loads(outputs[1].read_text())["formula in the sample"] == 2


def test_known_compositions_hold_only_their_roundings():
    known = KnownCompositions(["Fe0.293Ni0.707", "NaCl"], [1, 2])
    assert known.hold("NaCl", 8)
    assert known.hold("Fe29Ni71", 100)
    assert not known.hold("Fe3Ni7", 10)
    assert not known.hold("Fe31Ni69", 1)
    assert not known.hold("Fe0.35Ni0.65", 1)
    assert not known.hold("Na100Cl101", 201)
    assert not known.hold("KCl", 2)
    thirds = KnownCompositions(["Fe33Co33Ni34"], [1])
    assert thirds.hold("Fe34Co33Ni33", 1)
    assert not thirds.hold("Fe35Co33Ni32", 1)
    assert not KnownCompositions().hold("NaCl", 2)
