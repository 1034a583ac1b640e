"""Batches of a training: their order, their division among processes, and examples on disk."""

from itertools import chain

import numpy as np
import pyarrow as pa
import pytest

from polyfacet.networks import parquet_batches
from polyfacet.networks.memory_batches import MemoryBatches
from polyfacet.networks.parquet_batches import Blocks, ParquetBatches, write_blocks
from polyfacet.networks.processes import Share
from polyfacet.networks.properties import batches
from polyfacet.networks.shuffling import Shuffle, step_bounds
from polyfacet.runtime.identifiers import stable_hash

N, SEED = 100, 3
SCHEMA = pa.schema([("rank", pa.int64()), ("name", pa.string())])


@pytest.fixture
def blocks(tmp_path, monkeypatch):
    """Write 100 examples, in blocks of 8 and not in the order of their ranks."""
    monkeypatch.setattr(parquet_batches, "BLOCK_ROWS", 8)
    ranks = np.random.default_rng(0).permutation(N)
    table = pa.table({"rank": ranks, "name": [f"n{rank}" for rank in ranks]}, schema=SCHEMA)
    write_blocks(tmp_path / "examples", [table.slice(0, 3), table.slice(3, 60), table.slice(63)], SCHEMA)
    return Blocks(tmp_path / "examples")


def on_disk(blocks, window=1000, share=None, seed=SEED):
    return ParquetBatches(
        blocks, 10, seed, lambda table, _: table["rank"].to_pylist(), share or Share(), window
    )


def in_memory(share=None, seed=SEED):
    return MemoryBatches(N, 10, seed, lambda rows, _: rows.tolist(), share or Share())


def expected_order(epoch):
    """Return the batches as they always were: one permutation of all examples, divided by NumPy."""
    order = np.random.default_rng(stable_hash("epoch", SEED, epoch)).permutation(N)
    return [rows.tolist() for rows in batches(order, 10)]


@pytest.mark.parametrize("epoch", [0, 7])
def test_small_data_are_shuffled_completely(blocks, epoch):
    assert list(in_memory().batches(epoch)) == expected_order(epoch)
    assert list(on_disk(blocks).batches(epoch)) == expected_order(epoch)


@pytest.mark.parametrize(("n_rows", "size"), [(100, 10), (103, 10), (19, 10), (5, 10), (1, 2)])
def test_steps_are_those_of_array_split(n_rows, size):
    expected = [len(rows) for rows in batches(np.arange(n_rows), size)]
    assert np.diff(step_bounds(n_rows, size)).tolist() == expected


@pytest.mark.parametrize("window", [8, 24, 30, 99])
def test_an_epoch_of_windows_has_every_example_once_and_differs_from_the_next(blocks, window):
    source = on_disk(blocks, window)
    first, second = (list(source.batches(epoch)) for epoch in (0, 1))
    assert [len(rows) for rows in first] == [10] * 10
    for epoch in (first, second):
        assert sorted(rank for rows in epoch for rank in rows) == list(range(N))
    assert first != second
    assert first == list(on_disk(blocks, window).batches(0))


@pytest.mark.parametrize("window", [8, 24, 1000])
def test_processes_divide_what_one_process_sees(blocks, window):
    whole = list(on_disk(blocks, window).batches(4))
    shares = [list(on_disk(blocks, window, Share(number, 3)).batches(4)) for number in range(3)]
    assert [list(chain(*parts)) for parts in zip(*shares, strict=True)] == whole
    in_shares = [list(in_memory(Share(number, 3)).batches(4)) for number in range(3)]
    joined = [list(chain(*parts)) for parts in zip(*in_shares, strict=True)]
    assert joined == list(in_memory().batches(4))


@pytest.mark.parametrize("window", [8, 24, 1000])
@pytest.mark.parametrize("first_step", [0, 1, 6, 9, 10])
def test_an_epoch_resumes_at_any_step(blocks, window, first_step):
    whole = list(on_disk(blocks, window).batches(2))
    assert list(on_disk(blocks, window).batches(2, first_step)) == whole[first_step:]
    assert list(in_memory().batches(2, first_step)) == list(in_memory().batches(2))[first_step:]


def test_only_selected_examples_are_read(blocks, tmp_path):
    ranks = blocks.file.read()["rank"].to_numpy()
    source = on_disk(Blocks(tmp_path / "examples", ranks < 30), seed=None)
    assert source.n_rows == 30
    assert [rank for rows in source.batches(0) for rank in rows] == list(range(30))


def test_blocks_do_not_depend_on_the_tables_that_were_written(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet_batches, "BLOCK_ROWS", 8)
    table = pa.table({"rank": range(N), "name": ["x"] * N}, schema=SCHEMA)
    write_blocks(tmp_path / "one", [table], SCHEMA)
    write_blocks(tmp_path / "many", [table.slice(start, 7) for start in range(0, N, 7)], SCHEMA)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "many").read_bytes()


def test_a_window_in_memory_never_has_more_examples_than_it_may():
    sizes = np.array([5, 0, 9, 3, 3, 8, 1])
    windows = list(Shuffle(sizes, 10, seed=1).windows(0))
    assert all(window.stop - window.start <= 10 for window in windows)
    assert sorted(block for window in windows for block in window.blocks) == [0, 2, 3, 4, 5, 6]
