"""Shards: the parts into which stages that process materials one by one are divided, one job per shard.

A shard is an interval of hash values of materials, so doubling the number of shards splits each in two.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa

from polyfacet.runtime.errors import UserError
from polyfacet.runtime.identifiers import shard_of
from polyfacet.runtime.parquet import iterate_table


def read_shard(
    table: Path,
    schema: pa.Schema,
    shard: int,
    n_shards: int,
    columns: Sequence[str] | None = None,
    by: str = "mat_id",
    key: Callable[[str], str] = str,
) -> pd.DataFrame:
    """Read the rows of a shard, in the order of the table, with only these rows in memory.

    Parameters
    ----------
    table, schema, columns
        See `polyfacet.runtime.parquet.iterate_table`.
    shard, n_shards
        Rows whose hash falls into this shard are read.
    by
        Column whose value is hashed: all rows with the same value are in one shard.
    key
        Function of the value to be hashed: all rows with the same key are in one shard.

    Raises
    ------
    UserError
        If there is no such shard.
    """
    if not 0 <= shard < n_shards:
        raise UserError(f"there is no shard {shard} of {n_shards}: shards are numbered from 0.")
    mine = [
        piece.filter(_are_in(map(key, piece[by].to_pylist()), shard, n_shards))
        for piece in iterate_table(table, schema, columns)
    ]
    return pa.concat_tables(mine).to_pandas()


def _are_in(keys: Iterable[str], shard: int, n_shards: int) -> pa.Array:
    return pa.array([shard_of(key, n_shards) == shard for key in keys], pa.bool_())
