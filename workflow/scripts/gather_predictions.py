"""Gather the predictions of all shards in one table."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from polyfacet.runtime.parquet import iterate_table, n_rows, write_pieces
from polyfacet.runtime.progress import tell


def main(
    shards: list[Path], unread: Path, shards_rejected: list[Path], predictions: Path, rejected: Path
) -> None:
    """Gather the tables, with one piece in memory at a time.

    Parameters
    ----------
    shards
        Predictions of the shards.
    unread, shards_rejected
        Materials that could not be read; those that a shard could not predict.
    predictions, rejected
        Outputs: all predictions, in the order of the shards; all materials without one, with reasons.
    """
    for tables, output in ((shards, predictions), ([unread, *shards_rejected], rejected)):
        schema = pq.read_schema(tables[0])
        write_pieces(output, chain.from_iterable(_pieces(table, schema) for table in tables), schema)
    tell(f"predictions: {n_rows(predictions)} predicted, {n_rows(rejected)} left out")


def _pieces(table: Path, schema: pa.Schema) -> Iterator[pa.Table]:
    return (piece.cast(schema) for piece in iterate_table(table, schema))


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
