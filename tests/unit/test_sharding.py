"""Shards: the rows of a table in each."""

from polyfacet.runtime.identifiers import shard_of
from polyfacet.runtime.parquet import write_table
from polyfacet.runtime.rejects import REJECTS
from polyfacet.runtime.sharding import read_shard


def test_the_shards_of_a_table_add_up_to_the_table(tmp_path):
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
