"""Shards: the parts of a run, one job each, in which the stages work that go material by material.

A shard is an interval of the materials' hashes, so that twice as many shards split each in two.
"""

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa

from polyfacet.entries import SUFFIXES
from polyfacet.identifiers import shard_of
from polyfacet.tables import iterate_table

# Alexandria's 1D and 3D entries take 2900 to 5400 bytes each, 460 to 770 with bz2, 580 to 920 with gzip.
BYTES_PER_ENTRY = {".json": 4000, ".bz2": 600, ".gz": 750}
# Entries in a file as Alexandria publishes it.
ENTRIES_PER_PUBLISHED_FILE = 100_000


def estimated_entries(sources: Iterable[str], published: Collection[str]) -> int:
    """Estimate, without opening a file, how many entries there are to sample from.

    Parameters
    ----------
    sources
        Entry files, or folders of them.
    published
        Sources that are downloaded: what they count for must not change when they arrive.
    """
    n_entries = 0
    for source in sources:
        if source in published:
            n_entries += ENTRIES_PER_PUBLISHED_FILE
            continue
        files = Path(source).iterdir() if Path(source).is_dir() else [Path(source)]
        present = [path for path in files if path.name.endswith(SUFFIXES) and path.is_file()]
        n_entries += sum(path.stat().st_size // BYTES_PER_ENTRY[path.suffix] for path in present)
    return n_entries


def read_shard(
    table: Path, schema: pa.Schema, shard: int, n_shards: int, columns: Sequence[str] | None = None
) -> pd.DataFrame:
    """Read the rows of a shard's materials, in the order of the table, with no more than those in memory."""
    mine = [
        piece.filter(_are_in(piece["mat_id"].to_pylist(), shard, n_shards))
        for piece in iterate_table(table, schema, columns)
    ]
    return pa.concat_tables(mine).to_pandas()


def _are_in(mat_ids: Sequence[str], shard: int, n_shards: int) -> pa.Array:
    return pa.array([shard_of(mat_id, n_shards) == shard for mat_id in mat_ids], pa.bool_())
