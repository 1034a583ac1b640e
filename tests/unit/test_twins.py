"""Twins: one crystal under several identifiers is found in any setting, and no split separates twins."""

import itertools
import json
import random

import numpy as np
import pyarrow.parquet as pq
import pytest
from handmade import cesium_chloride, entry, rock_salt, structures, write_entries, zinc_blende
from pymatgen.analysis.structure_matcher import StructureMatcher
from pymatgen.core import Lattice, Structure

import find_twins
import sample as sample_script
import split_materials
from polyfacet.materials import twins as twins_module
from polyfacet.materials.matching import match, tolerances
from polyfacet.materials.material import SAMPLE
from polyfacet.runtime.parquet import read_table, write_table
from polyfacet.splits.parts import SPLIT

# Three sites on a general line of a hexagonal cell: a left-handed or right-handed screw.
QUARTZ = Structure.from_spacegroup(
    "P3_121", Lattice.hexagonal(4.916, 5.405), ["Si", "O"], [[0.4697, 0, 1 / 3], [0.4135, 0.2669, 0.4525]]
)
HALF_HEUSLER = Structure.from_spacegroup(
    "F-43m", Lattice.cubic(5.9), ["Ti", "Ni", "Sn"], [[0, 0, 0], [0.25, 0.25, 0.25], [0.5, 0.5, 0.5]]
)


def mirrored(crystal):
    """Invert the handedness of a crystal."""
    return Structure(crystal.lattice.matrix * [1, 1, -1], crystal.species, crystal.frac_coords)


def permuted(crystal):
    order = list(range(len(crystal)))
    random.Random(1).shuffle(order)
    return Structure.from_sites([crystal[i] for i in order])


def shifted(crystal):
    moved = crystal.copy()
    return moved.translate_sites(range(len(moved)), [0.123, 0.456, 0.789])


def noisy(crystal):
    moved = crystal.copy()
    noise = np.random.default_rng(1).normal(scale=0.01, size=(len(moved), 3))
    return Structure(moved.lattice, moved.species, moved.cart_coords + noise, coords_are_cartesian=True)


def rotated(crystal):
    rotation = np.linalg.qr(np.random.default_rng(2).normal(size=(3, 3)))[0]
    return Structure(crystal.lattice.matrix @ rotation, crystal.species, crystal.frac_coords)


def doubled(crystal):
    return crystal.copy().make_supercell([2, 1, 1])


def sheared(crystal):
    """Describe the same lattice by other vectors."""
    return crystal.copy().make_supercell([[1, 1, 0], [0, 1, 0], [2, 0, 1]])


def strained(crystal):
    return crystal.copy().apply_strain(0.005)


def exchanged(crystal, first, second):
    return Structure(
        crystal.lattice,
        [{first: second, second: first}.get(site.specie.symbol, site.specie.symbol) for site in crystal],
        crystal.frac_coords,
    )


def sampled(folder, cells):
    source = write_entries(folder / "entries.json", [entry(name, cell) for name, cell in cells.items()])
    outputs = [folder / name for name in ("sample.parquet", "rejected.parquet", "summary.json")]
    settings = {"n_materials": "all", "seed": 0, "filters": {}, "magnetization": "absolute"}
    sample_script.main([source], *outputs, **settings, max_rejected_fraction=0.0)
    return outputs[0]


def twins_of(folder, sample, n_shards=1):
    """Run the stage on all shards and return its rows."""
    rows = []
    for shard in range(n_shards):
        find_twins.main(sample, folder / f"twins-{shard}.parquet", shard=shard, n_shards=n_shards)
        rows += pq.read_table(folder / f"twins-{shard}.parquet").to_pylist()
    return sorted(rows, key=lambda row: row["mat_id"])


def groups(rows):
    found = {}
    for row in rows:
        found.setdefault(row["twin_group"], set()).add(row["mat_id"])
    return found


@pytest.mark.parametrize("crystal", [rock_salt("Na", "Cl", 5.64), QUARTZ, HALF_HEUSLER], ids=len)
def test_a_crystal_in_any_setting_is_a_twin(tmp_path, crystal):
    ways = [permuted, shifted, noisy, rotated, doubled, sheared, strained, mirrored]
    cells = {"m": crystal} | {way.__name__: way(crystal) for way in ways}
    assert groups(twins_of(tmp_path, sampled(tmp_path, cells))) == {min(cells): set(cells)}


NEAR_MISSES = {
    "polymorphs": [
        rock_salt("Zn", "S", 5.41),
        zinc_blende("Zn", "S", 5.41),
        cesium_chloride("Zn", "S", 3.41),
    ],
    "antisites": [HALF_HEUSLER, exchanged(HALF_HEUSLER, "Ti", "Ni")],
    "another volume": [rock_salt("Na", "Cl", 5.64), rock_salt("Na", "Cl", 6.1)],
    "an atom elsewhere": [
        Structure(Lattice.orthorhombic(3, 4, 5), ["Na", "Cl"], [[0, 0, 0], [x, 0.1, 0.4]]) for x in (0.5, 0.3)
    ],
    "another element": [rock_salt("Na", "Cl", 5.64), rock_salt("Na", "Br", 5.64)],
}


@pytest.mark.parametrize("name", NEAR_MISSES)
def test_near_misses_are_not_twins(tmp_path, name):
    cells = {f"m{i}": cell for i, cell in enumerate(NEAR_MISSES[name])}
    assert twins_of(tmp_path, sampled(tmp_path, cells)) == []


def test_twins_of_a_twin_are_twins(tmp_path):
    """Each is within the tolerance of the next, but the first and the last are not."""
    cells = {f"m{i}": rock_salt("Na", "Cl", 5.6 * 1.02**i) for i in range(4)}
    sample = sampled(tmp_path, cells)
    assert groups(twins_of(tmp_path, sample)) == {"m0": set(cells)}
    ends = sampled(tmp_path, {name: cells[name] for name in ("m0", "m3")})
    assert twins_of(tmp_path, ends) == []


def test_twins_depend_neither_on_shards_nor_on_order(tmp_path):
    base = structures()
    cells = base | {f"{name}-twin": doubled(cell) for name, cell in base.items()}
    rows = twins_of(tmp_path, sampled(tmp_path, cells))
    assert len(rows) == len(cells)
    assert twins_of(tmp_path, sampled(tmp_path, dict(reversed(cells.items()))), n_shards=5) == rows


def test_a_larger_sample_has_the_same_twins_and_more(tmp_path):
    base = dict(list(structures().items())[:6])
    small = groups(twins_of(tmp_path, sampled(tmp_path, base | {"z-twin": doubled(base["test001"])})))
    larger = base | {"z-twin": doubled(base["test001"]), "z-other": shifted(base["test001"])}
    assert groups(twins_of(tmp_path, sampled(tmp_path, larger))) == {
        name: members | {"z-other"} for name, members in small.items()
    }


@pytest.mark.parametrize(
    ("first", "second"), [(0.5, 0.501), (0.5049, 0.5051), (0.125, 0.13), (0.33, 1 / 3), (0.4149, 0.415)]
)
def test_occupancies_that_are_equal_within_rounding_are_equal(tmp_path, first, second):
    cells = {
        f"m{i}": Structure(Lattice.cubic(4.2), [{"Fe": x, "Co": 1 - x}, "O"], [[0, 0, 0], [0.5, 0.5, 0.5]])
        for i, x in enumerate((first, second, first + 0.02))
    }
    rows = twins_of(tmp_path, sampled(tmp_path, cells))
    assert groups(rows) == {"m0": {"m0", "m1"}}


def test_sites_of_one_cell_that_differ_by_rounding_are_equal(tmp_path):
    cell = Structure(Lattice.cubic(4.2), [{"Fe": 0.505, "Co": 0.495}, "O"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    large = cell.copy().make_supercell([2, 1, 1])
    large[0].species = {"Fe": 0.5049, "Co": 0.4951}
    assert groups(twins_of(tmp_path, sampled(tmp_path, {"a": cell, "b": large}))) == {"a": {"a", "b"}}


def test_half_occupied_sites_can_be_twins(tmp_path):
    cell = Structure(Lattice.cubic(4.2), [{"Fe": 0.5, "Co": 0.5}, "O"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    other = Structure(Lattice.cubic(4.2), [{"Fe": 0.501, "Co": 0.499}, "O"], [[0.5, 0.5, 0.5], [0, 0, 0]])
    sample = sampled(tmp_path, {"a": cell, "b": other, "c": cesium_chloride("Fe", "O", 4.2)})
    assert groups(twins_of(tmp_path, sample)) == {"a": {"a", "b"}}


def test_many_equal_cells_need_few_comparisons(tmp_path, monkeypatch):
    compared = []
    monkeypatch.setattr(twins_module, "match", lambda *cells: compared.append(cells) or match(*cells))
    cells = {f"m{i:03d}": rock_salt("Na", "Cl", 5.64 + 1e-5 * i) for i in range(60)}
    assert groups(twins_of(tmp_path, sampled(tmp_path, cells))) == {"m000": set(cells)}
    assert len(compared) == 59


def test_each_of_very_many_polymorphs_is_compared_with_some(tmp_path, monkeypatch):
    monkeypatch.setattr(twins_module, "MAX_COMPARED", 2)
    compared = []
    monkeypatch.setattr(twins_module, "match", lambda *cells: bool(compared.append(cells)))
    cells = {f"m{i:03d}": rock_salt("Na", "Cl", 5.64 + 1e-5 * i) for i in range(60)}
    assert twins_of(tmp_path, sampled(tmp_path, cells)) == []
    assert len(compared) == 59 + 58


@pytest.fixture
def pairs(tmp_path):
    """A sample of twelve crystals with a twin each, and one lone polymorph each; the tables of its twins."""
    base = dict(list(structures().items())[:12])
    cells = base | {f"{name}-twin": doubled(cell) for name, cell in base.items()}
    cells |= {f"{name}-poly": cell.copy().apply_strain(0.15) for name, cell in base.items()}
    sample = sampled(tmp_path, cells)
    twins_of(tmp_path, sample, n_shards=2)
    return sample, sorted(tmp_path.glob("twins-*.parquet"))


@pytest.mark.parametrize("method", ["random", "formula"])
@pytest.mark.parametrize("repeat", range(4))
def test_no_split_separates_twins(tmp_path, pairs, method, repeat):
    sample, tables = pairs
    settings = {
        "method": method,
        "train_fraction": 0.6,
        "validation_fraction": 0.3,
        "seed": 0,
        "repeat": repeat,
    }
    split_materials.main(sample, tmp_path / "split.parquet", twins=tables, **settings)
    split = read_table(tmp_path / "split.parquet", SPLIT)
    carved = split.merge(read_table(sample, SAMPLE, ["mat_id", "formula"]), on="mat_id")
    assert set(carved["part"]) == {"train", "valid", "test"}
    twin = carved["mat_id"].str.removesuffix("-twin")
    assert (carved.groupby(twin)["part"].nunique() == 1).all()
    in_one_part = carved.groupby("formula")["part"].nunique() == 1
    assert in_one_part.all() == (method == "formula")
    again = tmp_path / "again.parquet"
    split_materials.main(sample, again, twins=tables[::-1], **settings)
    assert again.read_bytes() == (tmp_path / "split.parquet").read_bytes()


def test_twins_in_real_entries(tmp_path, alexandria_1d):
    """Silver compounds that the matcher joins mostly have equal energies, which the search does not use."""
    outputs = [tmp_path / name for name in ("sample.parquet", "rejected.parquet", "summary.json")]
    settings = {"n_materials": "all", "seed": 0, "magnetization": "absolute"}
    filters = {"elements_required": ["Ag"], "sites_max": 6}
    source = alexandria_1d / "alexandria_1d_000.json.bz2"
    sample_script.main([source], *outputs, filters=filters, **settings, max_rejected_fraction=0.0)
    found = groups(twins_of(tmp_path, outputs[0]))
    materials = read_table(outputs[0], SAMPLE).set_index("mat_id")
    spreads = [np.ptp(materials.loc[sorted(members), "e_total"]) for members in found.values()]
    assert len(found) >= 4
    assert np.median(spreads) < 1e-3
    assert max(spreads) < 0.05


def test_candidates_in_real_entries_are_joined_as_the_matcher_joins_them(tmp_path, alexandria_1d):
    """Crystals of one formula, space group and energy (to 0.1 meV/atom) under several identifiers."""
    outputs = [tmp_path / name for name in ("sample.parquet", "rejected.parquet", "summary.json")]
    settings = {"n_materials": "all", "seed": 0, "magnetization": "absolute", "max_rejected_fraction": 0.0}
    sample_script.main(sorted(alexandria_1d.glob("*.json.bz2")), *outputs, filters={}, **settings)
    materials = read_table(outputs[0], SAMPLE)
    energy = (materials["e_total"] / 1e-4).round()
    candidates = materials.groupby(["formula", "space_group", energy])["mat_id"].agg(list)
    candidates = candidates[candidates.map(len) > 1]
    assert len(candidates) == 237
    wanted = materials[materials["mat_id"].isin(candidates.explode())]
    write_table(tmp_path / "candidates.parquet", wanted, SAMPLE)
    rows = twins_of(tmp_path, tmp_path / "candidates.parquet")
    twin_group = {row["mat_id"]: row["twin_group"] for row in rows}
    cells = {
        mat_id: Structure.from_dict(json.loads(text))
        for mat_id, text in zip(wanted["mat_id"], wanted["structure"], strict=True)
    }
    matched = joined = 0
    for a, b in (pair for group in candidates for pair in itertools.combinations(group, 2)):
        within = tolerances(cells[a], cells[b])
        matcher = StructureMatcher(within.length, within.site, within.angle_deg, scale=False)
        fits = matcher.fit(cells[a], cells[b])
        together = a in twin_group and twin_group[a] == twin_group.get(b)
        matched += fits
        joined += together
        assert together or not fits, (a, b)
    assert matched > 100
    # Twins of a twin are twins, whether or not the two match.
    assert joined - matched < 0.05 * matched
