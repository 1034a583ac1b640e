"""Sort more rows than fit in memory: in runs that are sorted one by one, kept on disk and then merged."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa

# Merging keeps one batch of every run in memory.
BATCH_ROWS = 256


def write_run(path: Path, table: pa.Table) -> None:
    """Write a sorted table as one run."""
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema, options=options) as writer:
        writer.write_table(table, max_chunksize=BATCH_ROWS)


def merge_runs(paths: Sequence[Path], key: str, cuts: Sequence[str]) -> Iterator[pa.Table]:
    """Merge runs that are sorted by a column of strings.

    Parameters
    ----------
    paths
        Runs of one schema, at least one.
    key
        The column.  Rows with equal keys are in the order of the runs and of their rows.
    cuts
        Keys in ascending order at which the merged rows are cut: a table ends before each of them.

    Yields
    ------
    pyarrow.Table
        The sorted rows between two cuts; one table more than there are cuts.
    """
    runs = [_Run(path, key) for path in paths]
    for cut in [*cuts, None]:
        pieces = [piece for run in runs for piece in run.take_below(cut)]
        # Arrow's sort is stable.
        yield pa.Table.from_batches(pieces, schema=runs[0].schema).sort_by(key)


class _Run:
    """A run on disk, read batch by batch; the file is open only while a batch is read."""

    def __init__(self, path: Path, key: str) -> None:
        self.path = path
        self.key = key
        with self._open() as reader:
            self.schema = reader.schema
            self.n_batches = reader.num_record_batches
        self.next_batch = 0
        self.rest = pa.RecordBatch.from_pylist([], self.schema)

    def _open(self) -> pa.ipc.RecordBatchFileReader:
        return pa.ipc.open_file(pa.OSFile(str(self.path)))

    def take_below(self, cut: str | None) -> Iterator[pa.RecordBatch]:
        """Take the rows whose key is less than ``cut``; all remaining rows if it is None."""
        while self.rest.num_rows or self._read_on():
            n_below = self.rest.num_rows
            if cut is not None:
                n_below = bisect_left(self.rest[self.key], cut, key=lambda value: value.as_py())
            yield self.rest.slice(0, n_below)
            self.rest = self.rest.slice(n_below)
            if self.rest.num_rows:
                return

    def _read_on(self) -> bool:
        """Read the next batch; return False at the end of the run."""
        if self.next_batch == self.n_batches:
            return False
        with self._open() as reader:
            self.rest = reader.get_batch(self.next_batch)
        self.next_batch += 1
        return True
