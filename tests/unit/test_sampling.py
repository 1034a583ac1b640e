"""Sampling: independent of order and files, nested, filtered, duplicates settled by content."""

import itertools
import random

import pyarrow.parquet as pq
import pytest
from handmade import entries, entry, rock_salt, write_entries

import sample as script
from polyfacet.errors import UserError
from polyfacet.materials import material_from_entry
from polyfacet.sampling import Filters, Sampler, Source

NACL = rock_salt("Na", "Cl", 5.64)


def drawn(items, n, seed=0):
    sampler = Sampler(n, seed)
    for i, item in enumerate(items):
        sampler.offer(material_from_entry(item), Source("f", i))
    return [material.mat_id for material, _ in sampler.sample()]


def test_the_sample_does_not_depend_on_order():
    shuffled = entries()
    random.Random(1).shuffle(shuffled)
    assert drawn(shuffled, 6) == drawn(entries(), 6)


@pytest.mark.parametrize("seed", range(5))
def test_samples_of_a_seed_are_nested(seed):
    samples = [set(drawn(entries(), n, seed)) for n in (2, 5, 9, None)]
    assert all(small < large for small, large in itertools.pairwise(samples))


def test_seeds_differ():
    assert len({tuple(drawn(entries(), 5, seed)) for seed in range(10)}) > 5


@pytest.mark.parametrize("n", [1, 2, None])
def test_of_two_entries_with_one_id_the_same_is_kept_in_any_order(n):
    twins = [entry("twin", NACL, e_form=-1.0), entry("twin", NACL, e_form=-2.0)]
    kept = []
    for order in (twins, twins[::-1]):
        sampler = Sampler(n, 0)
        duplicates = [sampler.offer(material_from_entry(e), Source("f", i)) for i, e in enumerate(order)]
        assert sum(duplicate is not None for duplicate in duplicates) == 1
        kept.append([material.targets for material, _ in sampler.sample()])
    assert kept[0] == kept[1]


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
    assert rejected[1]["reason"] == "duplicate mat_id"
    assert rejected[0]["source_file"] == str(path)


def test_spread_over_files_does_not_matter(tmp_path):
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
