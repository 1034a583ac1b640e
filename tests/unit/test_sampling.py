"""Sampling: independent of order and files, nested, filtered, duplicates resolved by content."""

import itertools
import json
import random

import pyarrow.parquet as pq
import pytest
from handmade import entries, entry, rock_salt, write_entries

import sample as script
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.identifiers import stable_hash
from polyfacet.sources import reading_pass, sample_writing, sorted_runs
from polyfacet.sources.alexandria.material import material_from_entry
from polyfacet.sources.draw import Filters

NACL = rock_salt("Na", "Cl", 5.64)


@pytest.fixture
def sample_of(tmp_path):
    """Write entries to a file and return the rows of a sample of them."""

    def sample_of(items, n, seed=0):
        path = write_entries(tmp_path / "e.json", items)
        return run(tmp_path, [path], n_materials=n, seed=seed)[0]

    return sample_of


def ids(rows):
    return [row["mat_id"] for row in rows]


def in_memory(items, n, seed):
    """Sample in the simplest way: the entry whose content sorts first per material, then the lowest ranks."""
    materials = {}
    for material in map(material_from_entry, items):
        first = min(materials.get(material.mat_id, material), material, key=content)
        materials[material.mat_id] = first
    ranked = sorted(materials, key=lambda mat_id: stable_hash("sample", seed, mat_id))
    return [materials[mat_id] for mat_id in sorted(ranked[: None if n == "all" else n])]


def content(material):
    return material.structure, material.formula, repr(sorted(material.objectives.items()))


@pytest.mark.parametrize("n", [1, 12, 29, "all"])
@pytest.mark.parametrize(("n_files", "threads"), [(1, 1), (3, 1), (3, 2), (7, 3)])
def test_runs_on_disk_give_the_same_sample_as_memory(tmp_path, monkeypatch, n, n_files, threads):
    """However the entries are ordered, distributed over files, and cut into runs, batches and row groups."""
    monkeypatch.setattr(reading_pass, "RUN_ROWS", 4)
    monkeypatch.setattr(sorted_runs, "BATCH_ROWS", 2)
    monkeypatch.setattr(sample_writing, "ROW_GROUP_ROWS", 3)
    items = [entry(f"m{i % 30}", NACL, e_form=-0.1 * (i % 4)) for i in range(50)]
    random.Random(f"{n} {n_files}").shuffle(items)
    (tmp_path / "parts").mkdir()
    for i in range(n_files):
        write_entries(tmp_path / "parts" / f"{i}.json", items[i::n_files])
    sample, rejected = run(tmp_path, [tmp_path / "parts"], n_materials=n, seed=5, threads=threads)
    expected = in_memory(items, n, seed=5)
    assert ids(sample) == [material.mat_id for material in expected]
    assert [row["e_form"] for row in sample] == [material.objectives["e_form"] for material in expected]
    # Every entry is sampled, a named duplicate, or of a material outside the sample that is reported once.
    assert len(rejected) == 20
    assert all(row["reason"].startswith("duplicate mat_id") for row in rejected)
    places = [(row["source_file"], row["source_position"]) for row in [*sample, *rejected]]
    assert len(set(places)) == len(sample) + 20
    assert pq.read_metadata(tmp_path / "sample.parquet").num_row_groups == -(-len(sample) // 3)
    assert not list(tmp_path.glob("*.runs"))


def test_the_sample_does_not_depend_on_order(sample_of):
    shuffled = entries()
    random.Random(1).shuffle(shuffled)
    assert ids(sample_of(shuffled, 6)) == ids(sample_of(entries(), 6))


@pytest.mark.parametrize("seed", range(5))
def test_samples_of_a_seed_are_nested(sample_of, seed):
    samples = [set(ids(sample_of(entries(), n, seed))) for n in (2, 5, 9, "all")]
    assert all(small < large for small, large in itertools.pairwise(samples))


def test_seeds_differ(sample_of):
    assert len({tuple(ids(sample_of(entries(), 5, seed))) for seed in range(10)}) > 5


@pytest.mark.parametrize("n", [1, 2, "all"])
def test_of_two_entries_with_one_id_the_same_one_is_kept_in_any_order(sample_of, n):
    twins = [entry("twin", NACL, e_form=-1.0), entry("twin", NACL, e_form=-2.0)]
    [kept], [again] = sample_of(twins, n), sample_of(twins[::-1], n)
    assert kept["e_form"] == again["e_form"]


def test_three_entries_with_one_id_are_one_material(tmp_path, sample_of):
    sample_of([entry("thrice", NACL)] * 3, "all")
    assert json.loads((tmp_path / "summary.json").read_text()) == {
        "read": 3,
        "invalid": 0,
        "duplicate": 2,
        "sampled": 1,
        "files": 1,
        "files_left_out": [],
    }
    rejected = pq.read_table(tmp_path / "rejected.parquet").to_pylist()
    assert [row["source_position"] for row in rejected] == [1, 2]


def test_a_damaged_file_leaves_no_sample_and_no_runs(tmp_path):
    good = write_entries(tmp_path / "a.json", entries())
    bad = write_entries(tmp_path / "b.json", entries())
    bad.write_text(bad.read_text()[:-500])
    with pytest.raises(UserError, match=r"b.json: .* at entry 14"):
        run(tmp_path, [good, bad], threads=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "b.json"]


@pytest.mark.parametrize(
    ("filters", "failed"),
    [
        (Filters(), None),
        (Filters(elements_allowed=frozenset({"Na"})), "elements_allowed"),
        (Filters(elements_required=frozenset({"K"})), "elements_required"),
        (Filters(elements_excluded=frozenset({"Cl"})), "elements_excluded"),
        (Filters(sites_min=3), "sites_min"),
        (Filters(sites_max=1), "sites_max"),
        (Filters(e_hull_max=0.005), "e_hull_max"),
        (Filters(space_groups=frozenset({1})), "space_groups"),
        (Filters(space_groups=frozenset({225}), sites_max=2, e_hull_max=0.01), None),
    ],
)
def test_filters(filters, failed):
    assert filters.failed_by(material_from_entry(entry("a", NACL))) == failed


def run(tmp_path, sources, **settings):
    outputs = [tmp_path / name for name in ("sample.parquet", "rejected.parquet", "summary.json")]
    defaults = {"n_materials": "all", "seed": 0, "filters": {}, "magnetization": "absolute"}
    script.main(sources, *outputs, **{**defaults, "max_rejected_fraction": 1.0, **settings})
    return [pq.read_table(path).to_pylist() for path in outputs[:2]]


def test_rejects_name_file_position_and_reason(tmp_path):
    items = entries()[:3]
    items[1]["data"]["mat_id"] = "../../x"
    items.append(items[0])
    path = write_entries(tmp_path / "e.json.bz2", items)
    sample, rejected = run(tmp_path, [path])
    assert [row["mat_id"] for row in sample] == ["test000", "test002"]
    assert [(row["source_position"], row["mat_id"]) for row in rejected] == [(1, "../../x"), (3, "test000")]
    assert "does not match" in rejected[0]["reason"]
    assert "use 1 to 64 of the characters A-Z, a-z, 0-9, _, . and -" in rejected[0]["reason"]
    assert rejected[1]["reason"].startswith(f"duplicate mat_id: {path}, entry 0 is kept")
    assert rejected[0]["source_file"] == str(path)


def test_distribution_over_files_does_not_matter(tmp_path):
    whole = write_entries(tmp_path / "whole.json", entries())
    (tmp_path / "parts").mkdir()
    for i in range(3):
        write_entries(tmp_path / "parts" / f"{i}.json.gz", entries()[2 - i :: 3])
    names = [row["mat_id"] for row in run(tmp_path, [whole], n_materials=7)[0]]
    assert [row["mat_id"] for row in run(tmp_path, [tmp_path / "parts"], n_materials=7)[0]] == names


def test_too_many_rejects_stop_the_stage(tmp_path):
    items = entries()
    del items[0]["structure"]
    path = write_entries(tmp_path / "e.json", items)
    with pytest.raises(UserError, match="1 of 15 materials were rejected(.|\n)*structure is missing"):
        run(tmp_path, [path], max_rejected_fraction=0.05)


def test_an_empty_sample_is_an_error(tmp_path):
    path = write_entries(tmp_path / "e.json", entries())
    with pytest.raises(UserError, match="No material is left"):
        run(tmp_path, [path], filters={"elements_required": ["Ac"]})


def test_real_files_give_the_same_nested_samples(tmp_path, alexandria_1d):
    files = sorted(alexandria_1d.iterdir())
    large = run(tmp_path, files[:2], n_materials=300)[0]
    small = run(tmp_path, files[1::-1], n_materials=60)[0]
    assert {row["mat_id"] for row in small} < {row["mat_id"] for row in large}
