"""The lines of a CSV as cells; any other file is refused with the line and the likely cause."""

import csv
import difflib
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from polyfacet.runtime.errors import UserError
from polyfacet.sources.tables.numbers import NumberError, read_number

# First bytes of what is no text.
_SIGNATURES = {
    b"\xff\xfe\x00\x00": "UTF-32 text",
    b"\x00\x00\xfe\xff": "UTF-32 text",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
    b"PK\x03\x04": "an Excel workbook or a ZIP archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"\x1f\x8b": "compressed with gzip",
    b"BZh91AY&SY": "compressed with bzip2",
    b"\xfd7zXZ": "compressed with xz",
    b"\x28\xb5\x2f\xfd": "compressed with zstd",
    b"PAR1\x15": "a Parquet file",
    b"%PDF": "a PDF file",
}
# How the text of other formats begins, white space and case aside.
_BEGINNINGS = {
    b"<!doctype": "an HTML page",
    b"<html": "an HTML page",
    b"<?xml": "an XML file",
    b"{": "a JSON file",
    b"[": "a JSON file",
}
_INVISIBLE = "\ufeff\u200b\u200c\u200d\u2060"
_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_SHOWN_COLUMNS = 20


@dataclass(frozen=True)
class Line:
    """A row of the file.

    Parameters
    ----------
    number
        Line on which it ends, from 1.
    cells
        Column to cell; None where the row does not fit the header.
    problem
        Why it does not.
    """

    number: int
    cells: dict[str, str] | None
    problem: str = ""


def read_lines(path: Path, columns: Sequence[str]) -> Iterator[Line]:
    """Yield each row that is not blank.

    Parameters
    ----------
    path
        A CSV in UTF-8, with or without a byte order mark, its lines ending in LF, CRLF or CR.
    columns
        Columns that it must have.

    Raises
    ------
    UserError
        If it cannot be read, is no such CSV, or lacks a column or has it twice; names the line and the likely
        cause.
    """
    try:
        _check_signature(path)
        with path.open(encoding="utf-8-sig", newline="") as stream:
            yield from _lines(path, stream, columns)
    except UnicodeDecodeError as error:
        raise UserError(_wrong_encoding(path)) from error
    except OSError as error:
        raise UserError(f"the table {path} cannot be read: {error}.") from error


def _check_signature(path: Path) -> None:
    with path.open("rb") as stream:
        start = stream.read(4096)
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    found = [what for signature, what in _SIGNATURES.items() if start.startswith(signature)]
    found += [what for beginning, what in _BEGINNINGS.items() if text.startswith(beginning)]
    if found:
        raise UserError(
            f"the table {path} is {found[0]}, not a CSV. Save it as `CSV UTF-8 (comma delimited)`."
        )
    if b"\0" in start:
        raise UserError(
            f"the table {path} holds zero bytes: it is UTF-16 text or no text. Save it as "
            "`CSV UTF-8 (comma delimited)`."
        )


def _wrong_encoding(path: Path) -> str:
    """Name the line and the byte that are not UTF-8."""
    number = 1
    with path.open("rb") as stream:
        for number, line in enumerate(stream, start=1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                before = line[: error.start].count(b"\r")
                return (
                    f"the table {path} is not UTF-8: line {number + before} has the byte "
                    f"0x{line[error.start]:02x}. It may be Latin-1 or Windows-1252, as an older Excel "
                    "writes. Save it as `CSV UTF-8 (comma delimited)`."
                )
    return f"the table {path} is not UTF-8: line {number} is cut off."


def _lines(path: Path, stream: TextIO, columns: Sequence[str]) -> Iterator[Line]:
    reader = csv.reader(stream, strict=True)
    header: list[str] | None = None
    starts_at = 1
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise UserError(_bad_quotes(path, starts_at, reader.line_num, error)) from error
        if cells is None:
            break
        if not _is_blank(cells):
            if header is None:
                header = _names(cells, columns)
                _check_header(path, reader.line_num, header, columns)
            else:
                yield _line(reader.line_num, starts_at, header, cells)
        starts_at = reader.line_num + 1
    if header is None:
        raise UserError(f"the table {path} is empty. Give a CSV with a header and rows.")


def _names(cells: Sequence[str], columns: Sequence[str]) -> list[str]:
    """Return the names of a header as the configuration writes them, whatever their Unicode form."""
    named = {_plain(name): name for name in columns}
    return [named.get(_plain(cell), _plain(cell)) for cell in cells]


def _plain(name: str) -> str:
    return unicodedata.normalize("NFC", name).strip(_INVISIBLE + " \t\r\n")


def _is_blank(cells: Sequence[str]) -> bool:
    """Whether a line has nothing but white space; one of empty cells is a row, which is rejected."""
    return not cells or (len(cells) == 1 and not cells[0].strip())


def _line(number: int, starts_at: int, header: Sequence[str], cells: Sequence[str]) -> Line:
    if len(cells) == len(header):
        if number > starts_at and _holds_a_row(cells):
            return Line(number, None, f"a cell holds lines {starts_at} to {number}: a stray quotation mark?")
        if not any(cell.strip() for cell in cells):
            return Line(number, None, "all cells of the row are empty")
        return Line(number, dict(zip(header, cells, strict=True)))
    problem = f"the row has {len(cells)} cells, not as many cells as the header, {len(header)}"
    if number > starts_at:
        problem += f"; it begins in line {starts_at}: a stray quotation mark?"
    elif len(cells) == len(header) + 1 and not cells[-1].strip():
        problem += "; a comma at the end of the line?"
    elif len(cells) > len(header):
        problem += "; a decimal comma, or a comma inside a cell without quotation marks?"
    return Line(number, None, problem)


def _holds_a_row(cells: Sequence[str]) -> bool:
    """Whether a cell with line breaks has as many commas as a row."""
    return any(cell.count(",") >= len(cells) - 1 > 0 for cell in cells if "\n" in cell)


def _bad_quotes(path: Path, first: int, last: int, error: csv.Error) -> str:
    lines = f"line {last}" if first >= last else f"lines {first} to {last}"
    if "field larger" in str(error) or "end of data" in str(error):
        cause = "a quotation mark is opened and not closed"
    elif "expected after" in str(error):
        cause = 'a cell in quotation marks holds a single one. Double it ("") or take it out'
    else:
        cause = str(error)
    return f"the table {path} cannot be read, {lines}: {cause}."


def _check_header(path: Path, number: int, header: Sequence[str], columns: Sequence[str]) -> None:
    missing = [name for name in columns if name not in header]
    if missing:
        shown = list(header[:_SHOWN_COLUMNS]) + ["..."] * (len(header) > _SHOWN_COLUMNS)
        raise UserError(
            f"{path} has no column {missing}; its columns are {shown}. {_advice(number, header, missing)}"
        )
    twice = sorted({name for name in columns if header.count(name) > 1})
    if twice:
        raise UserError(
            f"{path} has more than one column {twice} (line {number}). Rename all but one of each."
        )


def _advice(number: int, header: Sequence[str], missing: Sequence[str]) -> str:
    """Say why columns may be missing, and what to do."""
    text = ",".join(header)
    if header[0].lower().startswith("sep="):
        return f"Line {number} is a hint for Excel and not the header: delete it."
    for separator, name in _SEPARATORS.items():
        cells = [cell.strip().strip('"') for cell in text.split(separator)]
        if len(cells) > 1 and (set(missing) & set(cells) or len(header) == 1):
            return (
                f"Line {number} is separated by {name}, not by commas (an Excel that writes decimal commas "
                "separates by semicolons). Save the file with commas between cells and points in numbers."
            )
    if all(_is_number(cell) for cell in header if cell):
        return f"Line {number} holds numbers: add a line with the names of the columns before it."
    by_lower_case = {name.lower(): name for name in header}
    near = {name: difflib.get_close_matches(name.lower(), by_lower_case, n=1, cutoff=0.7) for name in missing}
    guesses = [f"{name!r} may be {by_lower_case[found[0]]!r}" for name, found in near.items() if found]
    guess = f" ({'; '.join(guesses)})" if guesses else ""
    return f"Adjust `tables`, or the header in line {number} of the file{guess}."


def _is_number(text: str) -> bool:
    try:
        read_number(text)
    except NumberError:
        return False
    return True
