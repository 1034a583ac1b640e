"""The CSV of properties of a folder of structure files, with or without a header."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from polyfacet.materials.stated_values import ONLY_PROPERTY
from polyfacet.runtime.errors import UserError
from polyfacet.sources.csv_lines import Line, fitted_line, read_rows
from polyfacet.sources.headers import NumberedCells, check_header, check_separator, header_names
from polyfacet.sources.structures.columns import NAMES_OF_FILES, column_of_files, is_usual_name, unique_names
from polyfacet.sources.structures.names import plain_file_name
from polyfacet.sources.values import as_float

MAX_CELL_CHARS = 1 << 17
# A header is searched for in this many lines after titles.
LINES_WITH_HEADER = 20


@dataclass(frozen=True)
class Properties:
    """Rows of a CSV.

    Parameters
    ----------
    path
        The file.
    id_column
        The column that names structure files, with or without their endings.
    lines
        The rows; those that do not fit the header have no cells.
    """

    path: Path
    id_column: str
    lines: list[Line]


def read_properties(path: Path, id_column: str | None, names: Collection[str]) -> Properties:
    """Read the properties of structure files.

    Without a header, as in the `id_prop.csv` of CGCNN and ALIGNN, the first column names the files, and the
    others are called ``property`` or, if there are several, ``property_1`` and so on.

    Parameters
    ----------
    path
        The CSV.
    id_column
        The column that names the files; None to find it.
    names
        Names of the files, with and without endings: a first row that begins with one is not a header.

    Raises
    ------
    UserError
        If it cannot be read, or no column names files.
    """
    rows = list(read_rows(path, MAX_CELL_CHARS))
    if not rows:
        raise UserError(f"the table {path} is empty. Write a row per structure file: its name, its property.")
    first = rows[0][1]
    if id_column is None:
        beginning = [row for _, row in rows[:2]]
        check_separator(path, beginning, lambda cell: plain_file_name(cell) in names or is_usual_name(cell))
    has_header = id_column is not None or not _is_row(first, names)
    if has_header:
        header = _header(path, first, [row for _, row in islice(rows, 1, LINES_WITH_HEADER)], id_column)
        del rows[0]
    else:
        id_column, header = "id", _names_without_header([row for _, row in rows])
    lines = [fitted_line(row.number, starts_at, header, row.cells) for starts_at, row in rows]
    if not lines:
        raise UserError(f"{path} has a header but no rows.")
    if id_column is None:
        fitting = [line.cells for line in lines if line.cells is not None]
        id_column = column_of_files(fitting or [dict.fromkeys(header, "")], names)
    if id_column is None:
        raise UserError(
            f"{path} has no column that names structure files; its columns are {header}. Name the column:\n"
            f"      {{path: {path.parent}, properties: {path.name}, id: ...}}"
        )
    return Properties(path, id_column, lines)


def _is_row(first: NumberedCells, names: Collection[str]) -> bool:
    """Return whether the first row is not a header: it names a file, or holds numbers.

    Names of columns may be numbers (`id,300,400`) beside one that identifiers usually have.
    """
    stated = plain_file_name(first.cells[0])
    if stated.lower() in NAMES_OF_FILES and stated not in names:
        return False
    return stated in names or any(as_float(cell) is not None for cell in first.cells[1:])


def _names_without_header(rows: Sequence[NumberedCells]) -> list[str]:
    """Return names for as many columns as most rows have: others have a decimal comma, for example."""
    n_rows = Counter(len(row.cells) for row in rows)
    n_columns = min(n_rows, key=lambda n: (-n_rows[n], n))
    if n_columns == 2:
        return ["id", ONLY_PROPERTY]
    return ["id", *(f"{ONLY_PROPERTY}_{number}" for number in range(1, n_columns))]


def _header(
    path: Path, first: NumberedCells, following: list[NumberedCells], id_column: str | None
) -> list[str]:
    stated = [id_column] if id_column is not None else []
    check_header(path, first, stated, following)
    return unique_names(str(path), header_names(first.cells, stated))
