"""Tables are checked on writing and reading; outputs appear complete or not at all."""

import errno
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from polyfacet.runtime.errors import UserError
from polyfacet.runtime.files import atomic_path, sha256_of_folder, write_text
from polyfacet.runtime.identifiers import shard_of
from polyfacet.runtime.parquet import column, read_table, write_table
from polyfacet.runtime.rejects import (
    REJECTS,
    Reject,
    check_rejected_fraction,
    counted_rejects,
    record_rejects,
    write_rejects,
)

SCHEMA = pa.schema(
    [column("mat_id", pa.string(), "id"), column("gap", pa.float64(), "band gap", "eV", nullable=True)]
)


def test_units_and_meanings_are_in_the_file(tmp_path):
    write_table(tmp_path / "t.parquet", [{"mat_id": "a", "gap": 1.0}], SCHEMA)
    assert pq.read_schema(tmp_path / "t.parquet").field("gap").metadata == {
        b"meaning": b"band gap",
        b"unit": b"eV",
    }


@pytest.mark.parametrize(
    "row", [{"mat_id": "a"}, {"mat_id": "a", "gap": 1.0, "x": 1}, {"mat_id": None, "gap": 1.0}]
)
def test_invalid_rows_are_rejected_and_leave_no_file(tmp_path, row):
    with pytest.raises(ValueError, match=r"column"):
        write_table(tmp_path / "t.parquet", [row], SCHEMA)
    assert not list(tmp_path.iterdir())


def test_a_damaged_or_foreign_table_is_named(tmp_path):
    path = tmp_path / "t.parquet"
    path.write_bytes(b"PAR1 rubbish")
    with pytest.raises(UserError, match="cannot be read"):
        read_table(path, SCHEMA)
    write_table(path, [], REJECTS)
    with pytest.raises(UserError, match="gap"):
        read_table(path, SCHEMA)


def test_equal_rows_give_equal_bytes(tmp_path):
    for name in "ab":
        write_table(tmp_path / name, [{"mat_id": "a", "gap": None}], SCHEMA)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_an_interrupted_output_does_not_appear(tmp_path):
    with pytest.raises(RuntimeError), atomic_path(tmp_path / "out") as part:  # noqa: PT012
        part.write_text("half")
        raise RuntimeError
    assert not (tmp_path / "out").exists()
    with atomic_path(tmp_path / "out") as part:
        assert not part.exists()
        part.mkdir()
        (part / "x").write_text("1")
    assert (tmp_path / "out" / "x").read_text() == "1"


@pytest.fixture
def steps(monkeypatch):
    """Record the names of synchronized and renamed files in order."""
    found = []
    fsync, replace = os.fsync, os.replace

    def name(descriptor):
        return Path(f"/proc/self/fd/{descriptor}").readlink().name

    monkeypatch.setattr(os, "fsync", lambda fd: (found.append(("sync", name(fd))), fsync(fd))[1])
    monkeypatch.setattr(
        os, "replace", lambda a, b: (found.append(("rename", Path(b).name)), replace(a, b))[1]
    )
    return found


def test_a_file_is_synchronized_before_it_appears(tmp_path, steps):
    (tmp_path / "folder").mkdir()
    write_text(tmp_path / "folder" / "out", "whole")
    assert steps == [("sync", "out.part"), ("rename", "out"), ("sync", "folder")]


def test_a_folder_is_synchronized_with_its_contents_before_it_appears(tmp_path, steps):
    with atomic_path(tmp_path / "out") as part:
        (part / "deep").mkdir(parents=True)
        (part / "a").write_text("1")
        (part / "deep" / "b").write_text("2")
        (part / "link").symlink_to("a")
        with atomic_path(part / "deep" / "c") as inner:
            inner.write_text("3")
        assert steps == [("rename", "c")], "what is not finished need not be on the disk yet"
    renamed = steps.index(("rename", "out"))
    assert {step[1] for step in steps[:renamed]} == {"a", "b", "c", "deep", "out.part"}
    assert steps[renamed + 1 :] == [("sync", tmp_path.name)]


@pytest.mark.parametrize("refused", [errno.EINVAL, errno.ENOTSUP])
def test_a_file_system_without_synchronization_is_accepted(tmp_path, monkeypatch, refused):
    def refuse(_):
        raise OSError(refused, "not here")

    monkeypatch.setattr(os, "fsync", refuse)
    write_text(tmp_path / "out", "1")
    assert (tmp_path / "out").read_text() == "1"


def test_a_failing_disk_raises_an_error(tmp_path, monkeypatch):
    def fail(_):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="Input/output error"):
        write_text(tmp_path / "out", "1")
    assert not (tmp_path / "out").exists()


def test_the_digest_of_a_folder_covers_names_and_bytes(tmp_path):
    digests = set()
    for name, text in [("x", "1"), ("x", "2"), ("y", "1")]:
        folder = tmp_path / (name + text)
        folder.mkdir()
        (folder / name).write_text(text)
        digests.add(sha256_of_folder(folder))
    assert len(digests) == 3


def test_rejects_are_counted_against_the_limit(tmp_path):
    write_rejects(tmp_path / "r.parquet", [Reject("b", "too flat"), Reject("a", "too flat")])
    assert list(read_table(tmp_path / "r.parquet", REJECTS)["mat_id"]) == ["a", "b"]
    check_rejected_fraction(5, 100, 0.05, "images", ["x"] * 5)
    rejects = [Reject(f"m{n}", "too flat") for n in range(6)]
    with pytest.raises(UserError, match="images: 6 of 100(.|\n)*6 x too flat"):
        record_rejects(tmp_path / "s.parquet", rejects, 100, 0.05, "images")
    assert len(read_table(tmp_path / "s.parquet", REJECTS)) == 6


def test_shards_depend_only_on_the_material_and_are_even():
    counts = [0] * 4
    for i in range(4000):
        counts[shard_of(f"agm{i:09d}", 4)] += 1
    assert min(counts) > 900


def test_twice_as_many_shards_split_each_in_two():
    for mat_id in (f"agm{i:09d}" for i in range(500)):
        assert shard_of(mat_id, 14) // 2 == shard_of(mat_id, 7)


def test_tables_of_rejects_are_named_with_their_numbers(tmp_path):
    for name, n in {"sample": 0, "shard-0": 2, "shard-1": 1}.items():
        write_rejects(tmp_path / f"{name}.rejected.parquet", [Reject(f"m{i}", "wrong") for i in range(n)])
    patterns = [f"{tmp_path}/{name}.rejected.parquet" for name in ("sample", "shard-*", "absent")]
    assert counted_rejects(patterns) == [f"{patterns[1]} (3)"]
