"""Examples on disk, in blocks of a Parquet file that an epoch streams in shuffled order."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from polyfacet.networks.processes import Share
from polyfacet.networks.shuffling import Shuffle, Window, step_bounds
from polyfacet.runtime.files import atomic_path

T = TypeVar("T")

# Examples that are read together.
BLOCK_ROWS = 1024
# Examples in memory at a time.  Smaller data are shuffled completely, and read once.
WINDOW_ROWS = 16_384
# Column that orders the examples within a window, whatever their order in the file.
RANK = "rank"


def write_blocks(path: Path, tables: Iterable[pa.Table], schema: pa.Schema) -> None:
    """Write tables one after the other, in blocks whose borders do not depend on those of the tables."""
    # Statistics of thousands of blocks would stay in memory.
    options = {"compression": "zstd", "write_statistics": False}
    with atomic_path(path) as part, pq.ParquetWriter(part, schema, **options) as writer:
        rest = schema.empty_table()
        for table in tables:
            rows = pa.concat_tables([rest, table])
            whole = len(rows) // BLOCK_ROWS * BLOCK_ROWS
            if whole:
                writer.write_table(rows.slice(0, whole), row_group_size=BLOCK_ROWS)
            rest = rows.slice(whole)
        writer.write_table(rest.combine_chunks(), row_group_size=BLOCK_ROWS)


class Blocks:
    """Some of the examples of a file, read block by block.

    Parameters
    ----------
    path
        File with a column ``rank``.
    selected
        Whether an example is one of them, in the order of the file; all are if None.
    """

    def __init__(self, path: Path, selected: NDArray[np.bool_] | None = None) -> None:
        self.file = pq.ParquetFile(path)
        groups = range(self.file.num_row_groups)
        lengths = [self.file.metadata.row_group(number).num_rows for number in groups]
        everything = np.ones(sum(lengths), dtype=bool)
        self.selected = np.split(everything if selected is None else selected, np.cumsum(lengths)[:-1])
        self.sizes = np.array([part.sum() for part in self.selected], dtype=np.int64)

    def read(self, numbers: NDArray[np.int64]) -> pa.Table:
        """Read the examples of some blocks, ordered by rank."""
        tables = [
            self.file.read_row_group(number, use_threads=False).filter(pa.array(self.selected[number]))
            for number in numbers.tolist()
        ]
        rows = pa.concat_tables(tables).combine_chunks()
        return rows.sort_by(RANK)


@dataclass(eq=False)
class ParquetBatches(Generic[T]):
    """Steps of a training on examples on disk; see `polyfacet.networks.batch_source.BatchSource`.

    Parameters
    ----------
    blocks
        The examples.
    batch_size
        Examples per step: at least this number, and less than twice it.
    seed
        Seed of the order; None keeps the order by rank in each window.
    make
        Makes what the training needs from the rows of this process and the number of rows of all.
    share
        Share of this process.
    window
        Maximum number of examples in memory.
    """

    blocks: Blocks
    batch_size: int
    seed: int | None
    make: Callable[[pa.Table, int], T]
    share: Share = field(default_factory=Share)
    window: int = field(default_factory=lambda: WINDOW_ROWS)

    def __post_init__(self) -> None:
        self._shuffle = Shuffle(self.blocks.sizes, self.window, self.seed)
        self._whole: pa.Table | None = None

    @property
    def n_rows(self) -> int:
        """Number of examples, those of all processes together."""
        return int(self.blocks.sizes.sum())

    def n_steps(self) -> int:
        """Return the number of steps of an epoch."""
        return len(step_bounds(self.n_rows, self.batch_size)) - 1

    def batches(self, epoch: int, first_step: int = 0) -> Iterator[T]:
        """Yield this process's part of each step of an epoch, without those before ``first_step``."""
        bounds = step_bounds(self.n_rows, self.batch_size)
        step = first_step
        pieces: list[pa.Table] = []
        for window in self._shuffle.windows(epoch, int(bounds[first_step])):
            rows = self._read(window)
            while step < len(bounds) - 1:
                first, last = self.share.within(int(bounds[step]), int(bounds[step + 1]))
                begin, end = max(first, window.start), min(last, window.stop)
                if begin < end:
                    pieces.append(rows.take(window.order[begin - window.start : end - window.start]))
                if last > window.stop:
                    break
                yield self.make(_joined(pieces, rows.schema), int(bounds[step + 1] - bounds[step]))
                pieces, step = [], step + 1
            del rows

    def _read(self, window: Window) -> pa.Table:
        """Read the examples of a window, once if it has all."""
        if self._whole is not None:
            return self._whole
        rows = self.blocks.read(window.blocks)
        if len(rows) == self.n_rows:
            self._whole = rows
        return rows


def _joined(pieces: list[pa.Table], schema: pa.Schema) -> pa.Table:
    return pieces[0] if len(pieces) == 1 else pa.concat_tables(pieces or [schema.empty_table()])
