"""Read the lines of a CSV as cells; any other file is rejected with the line and the likely cause."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from polyfacet.runtime.errors import UserError
from polyfacet.sources.compression import MAGIC_BYTES, found_compression, stated_compression
from polyfacet.sources.file_kinds import check_kind, wrong_encoding
from polyfacet.sources.file_text import ANY_BEGINNING, FileText, UnreadableTextError
from polyfacet.sources.headers import NumberedCells, check_header, header_names

# A header is searched for in this many lines after titles.
_LINES_WITH_HEADER = 20


@dataclass(frozen=True)
class Line:
    """A row of the file.

    Parameters
    ----------
    number, starts_at
        Lines on which it ends and begins, from 1.
    cells
        Column to cell; None if the row does not fit the header.
    problem
        Reason why it does not.
    """

    number: int
    starts_at: int
    cells: dict[str, str] | None
    problem: str = ""


def read_header(path: Path) -> list[str]:
    """Return the names of the columns of a CSV as for `read_rows`; none if it is empty.

    Raises
    ------
    UserError
        If it cannot be read or is not a CSV; the message gives the line and the likely cause.
    """
    with _text(path, is_compressed=_is_compressed(path)) as stream:
        first = next(_rows(path, stream), None)
    return [] if first is None else header_names(first[1].cells, [])


def read_lines(path: Path, columns: Sequence[str]) -> Iterator[Line]:
    """Yield each row that is not blank.

    Parameters
    ----------
    path
        A CSV in UTF-8, with or without a byte order mark, with lines that end in LF, CRLF or CR; compressed
        if its name says so.
    columns
        Columns that it must have.

    Raises
    ------
    UserError
        If it cannot be read, is not such a CSV, or lacks a column or has it twice; the message gives the line
        and the likely cause.
    """
    with _text(path, is_compressed=stated_compression(path.name) is not None) as stream:
        yield from _lines(path, stream, columns)


def read_rows(path: Path, max_cell_chars: int) -> Iterator[tuple[int, NumberedCells]]:
    """Yield the line on which each row begins, and the row; blank ones are left out.

    Parameters
    ----------
    path
        A CSV as for `read_lines`, but cells may hold several lines; also compressed.
    max_cell_chars
        Length of the longest cell.

    Raises
    ------
    UserError
        If it cannot be read or is not a CSV; the message gives the line and the likely cause.
    """
    limit = csv.field_size_limit(max_cell_chars)
    try:
        with _text(path, is_compressed=_is_compressed(path)) as stream:
            yield from _rows(path, stream)
    finally:
        csv.field_size_limit(limit)


def _is_compressed(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return found_compression(stream.read(MAGIC_BYTES)) is not None
    except OSError as error:
        raise UserError(f"the table {path} cannot be read: {error}.") from error


@contextmanager
def _text(path: Path, *, is_compressed: bool) -> Iterator[Iterator[str]]:
    """Open a CSV; what goes wrong while its lines are read is an error that names it."""
    try:
        if not is_compressed:
            check_kind(path)
        with FileText(path, ANY_BEGINNING) as text:
            yield text.lines()
    except UnreadableTextError as error:
        if isinstance(error.__cause__, UnicodeDecodeError) and not is_compressed:
            raise UserError(wrong_encoding(path)) from error
        raise UserError(f"the table {path} cannot be read: {error}. {error.advice}") from error
    except OSError as error:
        raise UserError(f"the table {path} cannot be read: {error}.") from error


def _lines(path: Path, stream: Iterable[str], columns: Sequence[str]) -> Iterator[Line]:
    rows = _rows(path, stream)
    first = next(rows, None)
    if first is None:
        raise UserError(f"the table {path} is empty. Use a CSV with a header and rows.")
    _, line = first
    following = list(islice(rows, _LINES_WITH_HEADER))
    check_header(path, line, columns, [other for _, other in following])
    header = header_names(line.cells, columns)
    for starts_at, row in chain(following, rows):
        yield fitted_line(row.number, starts_at, header, row.cells)


def _rows(path: Path, stream: Iterable[str]) -> Iterator[tuple[int, NumberedCells]]:
    """Yield the line on which each row begins, and the row with the line on which it ends."""
    reader = csv.reader(stream, strict=True)
    starts_at = 1
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise UserError(_bad_quotes(path, starts_at, reader.line_num, error)) from error
        if cells is None:
            return
        if not _is_blank(cells):
            yield starts_at, NumberedCells(reader.line_num, cells)
        starts_at = reader.line_num + 1


def _is_blank(cells: Sequence[str]) -> bool:
    """Return whether a line is only white space; a line of empty cells is a row, which is rejected."""
    return not cells or (len(cells) == 1 and not cells[0].strip())


def fitted_line(
    number: int, starts_at: int, header: Sequence[str], cells: Sequence[str], *, may_span: bool = False
) -> Line:
    """Fit the cells of a row to the header.

    Parameters
    ----------
    number, starts_at
        Lines on which the row ends and begins.
    header, cells
        Names of the columns; the row.
    may_span
        Whether its cells may hold several lines.
    """
    if len(cells) == len(header):
        if number > starts_at and not may_span and _holds_a_row(cells):
            problem = f"a cell spans lines {starts_at} to {number}: a stray quotation mark?"
            return Line(number, starts_at, None, problem)
        if not any(cell.strip() for cell in cells):
            return Line(number, starts_at, None, "all cells of the row are empty")
        return Line(number, starts_at, dict(zip(header, cells, strict=True)))
    problem = f"the row has {len(cells)} cells, but the header has {len(header)}"
    if number > starts_at:
        problem += f"; it begins on line {starts_at}: a stray quotation mark?"
    elif len(cells) > len(header) and not any(cell.strip() for cell in cells[len(header) :]):
        problem += f"; {'a comma' if len(cells) == len(header) + 1 else 'commas'} at the end of the line?"
    elif len(cells) < len(header) and not any(header[len(cells) :]):
        problem += "; commas at the end of the header?"
    elif len(cells) > len(header):
        problem += "; a decimal comma, or a comma inside a cell without quotation marks?"
    return Line(number, starts_at, None, problem)


def _holds_a_row(cells: Sequence[str]) -> bool:
    """Return whether a cell with line breaks has as many commas as a row."""
    return any(cell.count(",") >= len(cells) - 1 > 0 for cell in cells if len(cell.splitlines()) > 1)


def _bad_quotes(path: Path, first: int, last: int, error: csv.Error) -> str:
    lines = f"line {last}" if first >= last else f"lines {first} to {last}"
    if "field larger" in str(error) or "end of data" in str(error):
        cause = "an opening quotation mark is not closed"
    elif "expected after" in str(error):
        cause = (
            'a cell in quotation marks contains a single one. Double it ("") or remove it; if semicolons or '
            "tabs separate the cells, save the file with commas"
        )
    else:
        cause = str(error)
    return f"the table {path} cannot be read, {lines}: {cause}."
