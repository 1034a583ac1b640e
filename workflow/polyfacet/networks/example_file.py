"""Examples of a training on disk: those that are trained on, and those that choose the epoch."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from polyfacet.networks.parquet_batches import RANK, Blocks, write_blocks
from polyfacet.runtime.identifiers import stable_hash
from polyfacet.runtime.parquet import column, read_arrow

HELD_OUT = "held_out"
# The columns that every table of examples begins with.
PLACES = (
    column(RANK, pa.int64(), "place among the identifiers of all materials of the table, in order"),
    column(HELD_OUT, pa.bool_(), "whether the material chooses the epoch, and is not trained on"),
)


def place_of(mat_id: str) -> int:
    """Return the place of a material in a file of examples: that of the shards, whatever their number."""
    return stable_hash("shard", mat_id)


@dataclass(frozen=True, eq=False)
class ExampleFile:
    """Examples on disk, in an order that depends on nothing but the identifiers of the materials.

    Parameters
    ----------
    path
        Parquet file in blocks, with the columns `PLACES`.
    digest
        SHA-256 hex digest of the file.
    """

    path: Path
    digest: str

    @classmethod
    def written(cls, path: Path, tables: Iterable[pa.Table], schema: pa.Schema) -> Self:
        """Write tables of examples, each of which precedes the next in the order of `place_of`."""
        write_blocks(path, tables, schema)
        with path.open("rb") as file:
            return cls(path, hashlib.file_digest(file, "sha256").hexdigest())

    def columns(self, names: Sequence[str]) -> pa.Table:
        """Read some columns, in the order of the file."""
        return read_arrow(self.path, columns=names)

    def flags(self, name: str) -> NDArray[np.bool_]:
        """Read a column of truth values, in the order of the file."""
        found: NDArray[np.bool_] = _array(self.columns([name])[name])
        return found


@dataclass(frozen=True, eq=False)
class ExamplesOfPart:
    """Those of the examples on disk that are trained on, or that choose the epoch.

    Parameters
    ----------
    file
        The examples.
    held_out
        Whether they choose the epoch.
    only
        Column of truth values that is true for them; None for no further choice.
    """

    file: ExampleFile
    held_out: bool
    only: str | None = None

    @cached_property
    def ranks(self) -> NDArray[np.int64]:
        """Places of the materials among all, ascending, shape ``(materials,)``."""
        found: NDArray[np.int64] = _array(self.columns([RANK])[RANK])
        return found

    @property
    def digest(self) -> str:
        """Identifies the examples, for the state of a training."""
        return f"{self.file.digest} {self.held_out} {self.only}"

    def columns(self, names: Sequence[str]) -> pa.Table:
        """Read some columns of the examples, ordered by rank."""
        wanted = list(dict.fromkeys([RANK, *names]))
        rows = self.file.columns(wanted).filter(pa.array(self._selected))
        return rows.combine_chunks().sort_by(RANK).select(list(names))

    def blocks(self) -> Blocks:
        """Return the examples for a training that streams them."""
        return Blocks(self.file.path, self._selected)

    @cached_property
    def _selected(self) -> NDArray[np.bool_]:
        of_part = self.file.flags(HELD_OUT) == self.held_out
        return of_part if self.only is None else of_part & self.file.flags(self.only)


def _array(values: pa.ChunkedArray) -> NDArray[Any]:
    found: NDArray[Any] = values.combine_chunks().to_numpy(zero_copy_only=False)
    return found
