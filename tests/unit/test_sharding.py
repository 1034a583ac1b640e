"""Shards: how many there will be, estimated from files, and what is in one."""

import bz2
import json

import pytest
from handmade import entries, write_entries

from polyfacet.identifiers import shard_of
from polyfacet.rejects import REJECTS
from polyfacet.sharding import ENTRIES_PER_PUBLISHED_FILE, estimated_entries, read_shard
from polyfacet.tables import write_table


@pytest.mark.parametrize("suffix", [".json", ".json.bz2", ".json.gz"])
def test_real_entries_are_estimated_within_a_factor_of_two(alexandria_1d, tmp_path, suffix):
    with bz2.open(alexandria_1d / "alexandria_1d_000.json.bz2") as stream:
        loaded = json.load(stream)["entries"][:1000]
    path = write_entries(tmp_path / f"entries{suffix}", loaded)
    assert 500 < estimated_entries([str(path)], {}) < 2000


def test_a_folder_counts_its_entry_files_and_what_is_missing_counts_nothing(tmp_path):
    files = [write_entries(tmp_path / name, entries()) for name in ("a.json", "b.json")]
    (tmp_path / "notes.txt").write_text("x" * 1_000_000)
    expected = sum(estimated_entries([str(path)], {}) for path in files)
    assert estimated_entries([str(tmp_path)], {}) == expected > 0
    assert estimated_entries([str(tmp_path / "absent.json")], {}) == 0


def test_a_published_file_counts_the_same_before_and_after_its_download(tmp_path):
    path = tmp_path / "alexandria_000.json.bz2"
    before = estimated_entries([str(path)], {str(path)})
    path.write_bytes(b"x" * 1000)
    assert estimated_entries([str(path)], {str(path)}) == before == ENTRIES_PER_PUBLISHED_FILE


def test_the_shards_of_a_table_are_the_table(tmp_path):
    names = [f"m{number:03d}" for number in range(100)]
    rows = [{"mat_id": name, "reason": f"of {name}"} for name in names]
    write_table(tmp_path / "t.parquet", rows, REJECTS)
    shards = [read_shard(tmp_path / "t.parquet", REJECTS, k, 7, ["reason", "mat_id"]) for k in range(7)]
    assert sorted(name for shard in shards for name in shard["mat_id"]) == names
    for number, shard in enumerate(shards):
        assert list(shard.columns) == ["reason", "mat_id"]
        assert list(shard["mat_id"]) == sorted(shard["mat_id"])
        assert all(shard_of(name, 7) == number for name in shard["mat_id"])
        assert list(shard["reason"]) == [f"of {name}" for name in shard["mat_id"]]
