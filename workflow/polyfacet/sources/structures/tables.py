"""Tables with a column of structures: CSV or Parquet, as MP-20 has them."""

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from polyfacet.config.sources import Source
from polyfacet.runtime.errors import UserError
from polyfacet.sources.csv_lines import Line, fitted_line, read_rows
from polyfacet.sources.headers import check_separator, header_names
from polyfacet.sources.items import Item
from polyfacet.sources.listing import Listing, is_folder
from polyfacet.sources.structures.columns import (
    columns_called_structures,
    first_cells,
    identifier_column,
    is_usual_name,
    structure_column,
    unique_names,
)
from polyfacet.sources.structures.crystals import Crystal
from polyfacet.sources.structures.formula_columns import formula_columns
from polyfacet.sources.structures.numbered_ids import numbered_id
from polyfacet.sources.structures.opened import OpenedSource, StatedItem, checked_items
from polyfacet.sources.structures.texts import crystal_from_text, looks_like_a_structure
from polyfacet.sources.values import InvalidEntryError

# A CIF of 100,000 sites.
MAX_CELL_CHARS = 16 << 20
ROWS_AT_A_TIME = 500
# Columns are recognized by the first cells that are not empty in so many rows.
ROWS_LOOKED_AT = 20
PARQUET = (".parquet", ".pq")


# A row by column, or why it has none.
Row = Mapping[str, Any] | InvalidEntryError
# A row, and the line on which it begins in a CSV, from 1, or its position, from 0.
PlacedRow = tuple[int, Row]


@dataclass(frozen=True)
class _Columns:
    """Columns of a table with a meaning: identifiers, if it has any, structures, and formulas."""

    ids: str | None
    structures: str
    formulas: Sequence[str]


@dataclass(frozen=True)
class RowsPart:
    """All rows of a file.

    Parameters
    ----------
    path
        The file.
    name
        How it calls rows without identifiers; see `polyfacet.sources.structures.numbered_ids`.
    rows
        Function that reads its rows in order, each with its position.
    id_column, structure_column
        Columns of identifiers and of structures; None to find them.
    """

    path: Path
    name: str
    rows: Callable[[Path], Iterator[PlacedRow]]
    id_column: str | None
    structure_column: str | None

    @property
    def label(self) -> str:
        """What is read, for messages about the progress."""
        return f"rows of {self.path.name}"

    def items(self) -> Iterator[Item]:
        """Yield the checked crystals in the order of the rows.

        Raises
        ------
        UserError
            If the file cannot be read or lacks a column.
        """
        return checked_items(self._stated())

    def _stated(self) -> Iterator[StatedItem]:
        file, rows = str(self.path), self.rows(self.path)
        beginning = list(islice(rows, ROWS_LOOKED_AT))
        columns: _Columns | None = None
        for number, (position, row) in enumerate(chain(beginning, rows), start=1):
            if isinstance(row, InvalidEntryError):
                yield StatedItem(file, position, None, row)
                continue
            if columns is None:
                columns = self._columns([*(each for _, each in beginning), row])
            stated_id = row[columns.ids] if columns.ids is not None else numbered_id(self.name, number)
            yield _row_item(file, position, row, stated_id, columns)

    def _columns(self, rows: Iterable[Row]) -> _Columns:
        """Find the columns with a meaning, given the first rows."""
        fitting = [row for row in rows if not isinstance(row, InvalidEntryError)]
        first, file = first_cells(fitting), str(self.path)
        id_column = identifier_column(file, list(first), self.id_column)
        structures = structure_column(file, first, self.structure_column)
        return _Columns(id_column, structures, formula_columns(fitting, id_column))


def open_table(source: Source, name: str) -> OpenedSource:
    """Open a table.

    Parameters
    ----------
    source
        The source.
    name
        How it calls rows without identifiers.

    Raises
    ------
    UserError
        If there is no such file.
    """
    path = existing_file(source)
    return OpenedSource([RowsPart(path, name, _rows, source.id, source.structure)], Listing([path], []))


def _identifier(stated: object) -> object:
    """Return an identifier without spaces around it; a whole number, also as 1.0, becomes a text.

    Raises
    ------
    InvalidEntryError
        If it is missing.
    """
    if stated is None or (isinstance(stated, float) and math.isnan(stated)):
        raise InvalidEntryError("the identifier is missing")
    # Pandas makes whole numbers decimal in a column with missing values.
    if isinstance(stated, int | float) and not isinstance(stated, bool) and float(stated).is_integer():
        return str(int(stated))
    return stated.strip() if isinstance(stated, str) else stated


def has_structures(path: Path) -> bool:
    """Return whether a CSV with a header has a column of structures.

    A column that is only called like one (``structure``: rocksalt) has none, and one may begin with empty
    cells.

    Raises
    ------
    UserError
        If the file cannot be read.
    """
    rows = read_rows(path, MAX_CELL_CHARS)
    header = header_names(next(rows)[1].cells, [])
    lines = (fitted_line(row.number, starts_at, header, row.cells, may_span=True) for starts_at, row in rows)
    cells = (line.cells for line in lines if line.cells is not None)
    first = next(cells, {})
    if any(map(looks_like_a_structure, first.values())):
        return True
    named = columns_called_structures(header)
    return bool(named) and any(looks_like_a_structure(each[name]) for each in cells for name in named)


def existing_file(source: Source) -> Path:
    """Return the file of a source.

    Raises
    ------
    UserError
        If there is no such file.
    """
    path = Path(source.path)
    if is_folder(path):
        raise UserError(
            f"the source {path} cannot be used: it is a folder. Name its files in `sources`, one by one."
        )
    if not path.is_file():
        raise UserError(f"the source {path} cannot be used: there is no such file. Correct the path.")
    return path


def _row_item(
    file: str, position: int, row: Mapping[str, Any], stated_id: object, columns: _Columns
) -> StatedItem:
    """Return the crystal of a row; what is not its structure is its data."""
    crystal: Crystal | InvalidEntryError
    try:
        stated_id = _identifier(stated_id)
        read = crystal_from_text(row[columns.structures])
        data = {name: value for name, value in row.items() if name != columns.structures}
        crystal = Crystal(read.structure, data, read.space_group, columns.formulas)
    except InvalidEntryError as error:
        crystal = error
    return StatedItem(file, position, stated_id, crystal)


def _rows(path: Path) -> Iterator[PlacedRow]:
    is_empty = True
    for row in enumerate(_parquet_rows(path)) if path.suffix.lower() in PARQUET else _csv_rows(path):
        is_empty = False
        yield row
    if is_empty:
        raise UserError(f"{path} has no rows.")


def _csv_rows(path: Path) -> Iterator[PlacedRow]:
    rows = read_rows(path, MAX_CELL_CHARS)
    first = next(rows, None)
    if first is None:
        raise UserError(f"the table {path} is empty. Use a CSV with a header and rows.")
    check_separator(path, [first[1]], is_usual_name)
    header = unique_names(str(path), header_names(first[1].cells, []))
    for starts_at, row in rows:
        yield starts_at, _row(fitted_line(row.number, starts_at, header, row.cells, may_span=True))


def _row(line: Line) -> Mapping[str, Any] | InvalidEntryError:
    return InvalidEntryError(f"line {line.number}: {line.problem}") if line.cells is None else line.cells


def _parquet_rows(path: Path) -> Iterator[Mapping[str, Any]]:
    try:
        with pq.ParquetFile(path) as table:
            unique_names(str(path), table.schema_arrow.names)
            for batch in table.iter_batches(batch_size=ROWS_AT_A_TIME):
                for row in batch.to_pylist():
                    yield {name: plain(value) for name, value in row.items()}
    except (pa.ArrowException, OSError) as error:
        raise UserError(f"the table {path} cannot be read: {error}. Get the file again.") from error


def plain(value: Any) -> Any:
    """Return a value that JSON can hold: dates, bytes and other types become texts."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    try:
        json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        return str(value)
    return value
