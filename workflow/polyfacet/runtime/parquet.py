"""Parquet tables with declared schemas: each column with unit and meaning, checked on write and on read."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from polyfacet.runtime.errors import UserError
from polyfacet.runtime.files import atomic_path, unreadable

# Readers that go through a table piece by piece have so many rows in memory at once.
ROW_GROUP_ROWS = 10_000


def column(name: str, kind: pa.DataType, meaning: str, unit: str = "", nullable: bool = False) -> pa.Field:
    """Declare a column of a table.

    Parameters
    ----------
    name
        Name of the column.
    kind
        Arrow type of its values.
    meaning
        What a value says, in one line; stored in the file.
    unit
        Physical unit, empty for what has none; stored in the file.
    nullable
        Whether a value may be missing.
    """
    return pa.field(name, kind, nullable=nullable, metadata={"meaning": meaning, "unit": unit})


def write_table(
    path: Path, rows: Sequence[Mapping[str, Any]] | pd.DataFrame | pa.Table, schema: pa.Schema
) -> None:
    """Write rows as Parquet after holding them against their schema; the file appears whole or not at all.

    Raises
    ------
    ValueError
        If a column is missing, unknown, of another type, or null where it may not be.
    """
    if isinstance(rows, pa.Table):
        _check_names(set(rows.column_names), schema)
        # Equal rows shall be equal bytes, whatever pieces they came in.
        table = rows.select(schema.names).cast(schema).combine_chunks()
    elif isinstance(rows, pd.DataFrame):
        _check_names(set(rows.columns), schema)
        table = pa.Table.from_pandas(rows, schema=schema, preserve_index=False).replace_schema_metadata(None)
    else:
        for row in rows:
            _check_names(set(row), schema)
        table = pa.Table.from_pylist([dict(row) for row in rows], schema=schema)
    _check(table, schema)
    with atomic_path(path) as part:
        pq.write_table(table, part, compression="zstd", row_group_size=ROW_GROUP_ROWS)


def write_pieces(path: Path, pieces: Iterable[pa.Table], schema: pa.Schema) -> None:
    """Write tables one after another as one; only one of them need be in memory at a time.

    Raises
    ------
    ValueError
        If a column is missing, unknown, of another type, or null where it may not be.
    """
    with atomic_path(path) as part, pq.ParquetWriter(part, schema, compression="zstd") as writer:
        for piece in pieces:
            _check(piece, schema)
            writer.write_table(piece, row_group_size=ROW_GROUP_ROWS)


def column_names(path: Path) -> list[str]:
    """List the columns of a table.

    Raises
    ------
    UserError
        If the file is damaged; says that it can be deleted.
    """
    return list(_footer(path).schema.to_arrow_schema().names)


def n_rows(path: Path) -> int:
    """Count the rows of a table, without reading them.

    Raises
    ------
    UserError
        If the file is damaged; says that it can be deleted.
    """
    return int(_footer(path).num_rows)


def _footer(path: Path) -> pq.FileMetaData:
    """Read what a table says of itself, without its rows."""
    try:
        return pq.read_metadata(path)
    except (pa.ArrowException, OSError) as error:
        raise unreadable(path, error) from error


def read_table(
    path: Path, schema: pa.Schema | None = None, columns: Sequence[str] | None = None
) -> pd.DataFrame:
    """Read a table (or some of its columns) for pandas; see `read_arrow`."""
    return read_arrow(path, schema, columns).to_pandas()


def read_by_material(path: Path, schema: pa.Schema, name: str) -> dict[str, Any]:
    """Read one column of a table as a mapping from mat_id; see `read_arrow`."""
    table = read_arrow(path, schema, columns=["mat_id", name])
    return dict(zip(table["mat_id"].to_pylist(), table[name].to_pylist(), strict=True))


def read_arrow(path: Path, schema: pa.Schema | None = None, columns: Sequence[str] | None = None) -> pa.Table:
    """Read a table (or some of its columns) and, where a schema is given, check that it is what it should be.

    Raises
    ------
    UserError
        If the file is damaged, or is not a table of this schema; says which file to delete.
    """
    try:
        table = pq.read_table(path, columns=list(columns) if columns is not None else None)
    except (pa.ArrowException, OSError) as error:
        raise unreadable(path, error) from error
    if schema is not None:
        _check_types(path, table.schema, schema, columns)
    return table


def iterate_table(path: Path, schema: pa.Schema, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
    """Read a table piece by piece, for tables that are larger than memory; see `read_arrow`."""
    try:
        with pq.ParquetFile(path) as file:
            _check_types(path, file.schema_arrow, schema, columns)
            names = list(columns or schema.names)
            yield file.schema_arrow.empty_table().select(names)
            for batch in file.iter_batches(columns=names):
                yield pa.Table.from_batches([batch]).select(names)
    except (pa.ArrowException, OSError) as error:
        raise unreadable(path, error) from error


def _check_types(path: Path, found: pa.Schema, schema: pa.Schema, columns: Sequence[str] | None) -> None:
    types = {field.name: field.type for field in found}
    expected = [field for field in schema if columns is None or field.name in columns]
    wrong = [field.name for field in expected if types.get(field.name) != field.type]
    if wrong:
        raise UserError(
            f"{path} is another table, or of another version: columns {wrong} differ. "
            "If a run has made it, delete it and run again."
        )


def _check(table: pa.Table, schema: pa.Schema) -> None:
    _check_names(set(table.column_names), schema)
    for field in schema:
        found = table[field.name]
        if found.type != field.type:
            raise ValueError(f"column {field.name!r} is {found.type}, not {field.type}")
        if not field.nullable and found.null_count:
            raise ValueError(f"column {field.name!r} has {found.null_count} missing values")


def _check_names(names: set[str], schema: pa.Schema) -> None:
    missing, unknown = set(schema.names) - names, names - set(schema.names)
    if missing or unknown:
        raise ValueError(
            f"columns differ from the schema: missing {sorted(missing)}, unknown {sorted(unknown)}"
        )
