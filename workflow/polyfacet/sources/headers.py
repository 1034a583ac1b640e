"""The header of a CSV: its names, and why columns are missing."""

import difflib
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from polyfacet.materials.stated_numbers import NumberError, read_number
from polyfacet.runtime.errors import UserError

_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
_SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "vertical bars", "&": "ampersands"}
_SHOWN_COLUMNS = 20


@dataclass(frozen=True)
class NumberedCells:
    """The cells of a line, and its number in the file, from 1."""

    number: int
    cells: list[str]


def header_names(cells: Sequence[str], columns: Sequence[str]) -> list[str]:
    """Return the names of a header as the configuration writes them.

    Unicode forms, invisible characters, and the width and kind of white space make no difference.
    """
    named = {_plain(name): name for name in columns}
    return [named.get(_plain(cell), _plain(cell)) for cell in cells]


def _plain(name: str) -> str:
    return " ".join(_INVISIBLE.sub("", unicodedata.normalize("NFC", name)).split())


def check_header(
    path: Path, line: NumberedCells, columns: Sequence[str], following: Sequence[NumberedCells]
) -> None:
    """Check that a header has each column once.

    Parameters
    ----------
    path
        The file.
    line
        Its first line that is not blank.
    columns
        Columns that it must have.
    following
        Some of the lines after it: one of these may be the header.

    Raises
    ------
    UserError
        If it lacks a column, or has it twice; the message says which and gives the likely cause.
    """
    header = header_names(line.cells, columns)
    missing = _missing(line, columns)
    if missing:
        shown = header[:_SHOWN_COLUMNS] + ["..."] * (len(header) > _SHOWN_COLUMNS)
        raise UserError(
            f"{path} has no column {missing}; its columns are {shown}. {_advice(line, columns, following)}"
        )
    twice = sorted({name for name in columns if header.count(name) > 1})
    if twice:
        raise UserError(
            f"{path} has more than one column {twice} (line {line.number}). Rename all but one of each."
        )


def check_separator(path: Path, lines: Sequence[NumberedCells], is_known: Callable[[str], bool]) -> None:
    """Reject a CSV whose cells are separated by something else than commas.

    Parameters
    ----------
    path
        The file.
    lines
        Its first lines that are not blank, at least one.
    is_known
        Whether a cell is one that these lines should have, such as the name of a column.

    Raises
    ------
    UserError
        If another separator yields such a cell and commas do not; the message names it.
    """
    if any(is_known(_plain(cell)) for line in lines for cell in line.cells):
        return
    repeated = _repeated_separator(lines[0], lines[1:])
    found = [(lines[0].number, repeated)] if repeated else []
    for line in lines:
        known = (name for name, cells in _split(line) if any(is_known(_plain(cell)) for cell in cells))
        found += [(line.number, name) for name in known]
    if found:
        raise UserError(f"{path} cannot be read: line {_separated(*found[0])}")


def _missing(line: NumberedCells, columns: Sequence[str]) -> list[str]:
    header = header_names(line.cells, columns)
    return [name for name in columns if name not in header]


def _advice(line: NumberedCells, columns: Sequence[str], following: Sequence[NumberedCells]) -> str:
    """Return why columns may be missing, and what to do."""
    if line.cells[0].lower().startswith("sep="):
        return f"Line {line.number} is a hint for Excel and not the header: delete it."
    header_below = _header_below(columns, following)
    if header_below and not _separator(line, columns):
        return f"{_title(line)}; {header_below}"
    separator = _separator(line, columns) or _repeated_separator(line, following)
    if separator:
        return f"Line {_separated(line.number, separator)}"
    if all(_is_number(cell) for cell in line.cells if cell):
        return f"Line {line.number} contains numbers: add a line with the column names above it."
    if len(line.cells) == 1 and any(len(other.cells) > 1 for other in following):
        return f"{_title(line)}: delete it, or use the names of columns that the file has."
    return (
        f"Correct the header in line {line.number} of the file, or use names that it has"
        f"{_guess(line, columns)}."
    )


def _title(line: NumberedCells) -> str:
    return f"Line {line.number} is a title or another heading"


def _header_below(columns: Sequence[str], following: Sequence[NumberedCells]) -> str | None:
    """Return which of some lines is the header, and what to do; None if none is."""
    for line in following:
        if not _missing(line, columns):
            return f"the header is line {line.number}. Delete the lines above it."
        separator = _separator(line, columns)
        if separator:
            return f"line {_separated(line.number, separator)}"
    return None


def _separator(line: NumberedCells, columns: Sequence[str]) -> str | None:
    """Return what separates columns instead of commas; None if a line is not separated in another way."""
    names = (name for name, cells in _split(line) if set(header_names(cells, columns)) & set(columns))
    return next(names, None)


def _split(line: NumberedCells) -> Iterator[tuple[str, list[str]]]:
    """Yield each separator other than a comma that a line has, and its cells."""
    text = ",".join(line.cells)
    for separator, name in _SEPARATORS.items():
        if separator in text:
            yield name, [cell.strip().strip('"') for cell in text.split(separator)]


def _repeated_separator(line: NumberedCells, following: Sequence[NumberedCells]) -> str | None:
    """Return the separator that a line without commas has as often as the next line; None if it has none."""
    if len(line.cells) > 1:
        return None
    for separator, name in _SEPARATORS.items():
        count = line.cells[0].count(separator)
        if count and all(",".join(other.cells).count(separator) == count for other in following[:1]):
            return name
    return None


def _separated(number: int, separator: str) -> str:
    return (
        f"{number} is separated by {separator}, not by commas (Excel with decimal commas separates with "
        "semicolons). Save the file with commas between cells and decimal points in numbers."
    )


def _guess(line: NumberedCells, columns: Sequence[str]) -> str:
    """Return which columns have names similar to the missing ones."""
    by_lower_case = {name.lower(): name for name in header_names(line.cells, columns)}
    near = {
        name: difflib.get_close_matches(name.lower(), by_lower_case, n=1, cutoff=0.7)
        for name in _missing(line, columns)
    }
    guesses = [f"{name!r} may be {by_lower_case[found[0]]!r}" for name, found in near.items() if found]
    return f" ({'; '.join(guesses)})" if guesses else ""


def _is_number(text: str) -> bool:
    try:
        read_number(text)
    except NumberError:
        return False
    return True
