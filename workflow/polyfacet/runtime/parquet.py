"""Parquet tables with declared schemas: columns have units and meanings, checked on writing and reading."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from polyfacet.runtime.errors import UserError
from polyfacet.runtime.files import atomic_path, unreadable

# Number of rows that readers of a table in pieces have in memory at a time.
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
        Meaning of a value, in one line; stored in the file.
    unit
        Physical unit, empty for dimensionless values; stored in the file.
    nullable
        Whether a value may be missing.
    """
    return pa.field(name, kind, nullable=nullable, metadata={"meaning": meaning, "unit": unit})


def write_table(
    path: Path, rows: Sequence[Mapping[str, Any]] | pd.DataFrame | pa.Table, schema: pa.Schema
) -> None:
    """Check rows against their schema and write them as Parquet; the file appears complete or not at all.

    Raises
    ------
    ValueError
        If a column is missing, unknown, of the wrong type, or null where that is not allowed.
    """
    if isinstance(rows, pa.Table):
        _check_names(set(rows.column_names), schema)
        # Equal rows must give equal bytes, however they were divided into pieces.
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
    """Write several tables as one, with only one of them in memory at a time.

    Raises
    ------
    ValueError
        If a column is missing, unknown, of the wrong type, or null where that is not allowed.
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
        If the file is damaged; the message says that it can be deleted.
    """
    return list(_footer(path).schema.to_arrow_schema().names)


def meaning_of(path: Path, name: str) -> str:
    """Return the meaning of a column of a table, as its file states it.

    Raises
    ------
    UserError
        If the file is damaged; the message says that it can be deleted.
    """
    stated = _footer(path).schema.to_arrow_schema().field(name).metadata or {}
    return stated.get(b"meaning", b"").decode()


def n_rows(path: Path) -> int:
    """Count the rows of a table without reading them.

    Raises
    ------
    UserError
        If the file is damaged; the message says that it can be deleted.
    """
    return int(_footer(path).num_rows)


def empty_columns(path: Path) -> set[str]:
    """Return the columns of a table in which no row has a value.

    Raises
    ------
    UserError
        If the file is damaged; the message says that it can be deleted.
    """
    footer = _footer(path)
    groups = [footer.row_group(number) for number in range(footer.num_row_groups)]
    # Lists have other paths, and are not looked at.
    names = {footer.schema.column(i).path: i for i in range(footer.num_columns)}
    return {
        name
        for name, i in names.items()
        if all(
            (found := group.column(i).statistics) is not None and found.null_count == group.num_rows
            for group in groups
        )
    }


def _footer(path: Path) -> pq.FileMetaData:
    """Read the metadata of a table, without its rows."""
    try:
        return pq.read_metadata(path)
    except (pa.ArrowException, OSError) as error:
        raise unreadable(path, error) from error


def read_table(
    path: Path, schema: pa.Schema | None = None, columns: Sequence[str] | None = None
) -> pd.DataFrame:
    """Read a table (or some of its columns) as a data frame; see `read_arrow`."""
    return read_arrow(path, schema, columns).to_pandas()


def read_by_material(path: Path, schema: pa.Schema, name: str) -> dict[str, Any]:
    """Read one column of a table as a mapping from mat_id; see `read_arrow`."""
    table = read_arrow(path, schema, columns=["mat_id", name])
    return dict(zip(table["mat_id"].to_pylist(), table[name].to_pylist(), strict=True))


def read_arrow(path: Path, schema: pa.Schema | None = None, columns: Sequence[str] | None = None) -> pa.Table:
    """Read a table (or some of its columns) and check it against the schema, if one is given.

    Raises
    ------
    UserError
        If the file is damaged or does not have this schema; the message says which file to delete.
    """
    try:
        table = pq.read_table(path, columns=list(columns) if columns is not None else None)
    except (pa.ArrowException, OSError) as error:
        raise unreadable(path, error) from error
    if schema is not None:
        _check_types(path, table.schema, schema, columns)
    return table


def iterate_table(path: Path, schema: pa.Schema, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
    """Read a table in pieces, for tables that are larger than memory; see `read_arrow`."""
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
            f"{path} is a different table or of a different version: columns {wrong} differ. "
            "If a run created it, delete it and run again."
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
