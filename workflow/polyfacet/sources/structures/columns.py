"""The columns of a table of crystals: which holds the identifiers, which the structures."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from polyfacet.materials.stated_values import RESERVED
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.progress import tell
from polyfacet.sources.structures.names import plain_file_name
from polyfacet.sources.structures.texts import looks_like_a_structure

# Of a file or a material, which several rows or frames may share: identifiers only if the source says so.
NAMES = ("name", "filename", "file_name", "file")
IDENTIFIERS = (
    "mat_id",
    "material_id",
    "id",
    "identifier",
    "structure_id",
    "entry_id",
    "task_id",
    "mbid",
    "jid",
)
# Columns that may name structure files.
NAMES_OF_FILES = (*IDENTIFIERS, *NAMES)
STRUCTURES = ("structure", "cif", "cif_structure", "crystal", "atoms", "poscar")
SHOWN_COLUMNS = 20


def is_usual_name(column: str) -> bool:
    """Return whether a column has a name that identifiers or structures usually have."""
    return column.lower() in (*NAMES_OF_FILES, *STRUCTURES)


def identifier_column(where: str, columns: Sequence[str], stated: str | None) -> str | None:
    """Return the column of the identifiers; None if there is none, so that rows are numbered.

    A column of names, which several rows may share, is one only if the configuration says so; otherwise, a
    message on screen says what to write.

    Parameters
    ----------
    where
        The file, for messages.
    columns
        Its columns.
    stated
        The column that the configuration names.

    Raises
    ------
    UserError
        If the stated column does not exist.
    """
    if stated is not None:
        _check_exists(where, columns, stated, "id")
        return stated
    found = next(iter(_named(columns, IDENTIFIERS)), None)
    names = next(iter(_named(columns, NAMES)), None)
    if found is None and names is not None:
        tell(
            f"{where}: rows are numbered, as several may have the same {names}; if it identifies them, write "
            f"{{path: {where}, id: {names}}}"
        )
    return found


def column_of_files(rows: Sequence[Mapping[str, str]], names: Collection[str]) -> str | None:
    """Return the column with a usual name for identifiers that names most files; None if there is none.

    Parameters
    ----------
    rows
        Rows of a CSV of properties, at least one.
    names
        Names of the files, with and without endings.
    """
    columns = _named(list(rows[0]), NAMES_OF_FILES)
    n_found = {name: sum(plain_file_name(row[name]) in names for row in rows) for name in columns}
    return max(columns, key=n_found.__getitem__, default=None)


def _named(columns: Sequence[str], usual: Sequence[str]) -> list[str]:
    """Return the columns with usual names, in the order of these."""
    lower = {name.lower(): name for name in reversed(columns)}
    return [lower[name] for name in usual if name in lower]


def first_cells(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the first cell of each column that is not empty, or else an empty one, of one or more rows."""
    return {
        name: next((row[name] for row in rows if not _is_empty(row[name])), rows[0][name]) for name in rows[0]
    }


def structure_column(where: str, first: Mapping[str, Any], stated: str | None) -> str:
    """Return the column of the structures: its content counts more than its name.

    Parameters
    ----------
    where
        The file, for messages.
    first
        The first cell of each column; see `first_cells`.
    stated
        The column that the configuration names.

    Raises
    ------
    UserError
        If the stated column does not exist, no column is found, or several may be meant.
    """
    columns = list(first)
    if stated is not None:
        _check_exists(where, columns, stated, "structure")
        return stated
    found = _possible_structure_columns(first)
    if len(found) > 1:
        raise UserError(
            f"{where} has several columns that may hold the structures: {_shown(found)}. Name one of them:\n"
            f"      sources: [{{path: {where}, structure: ...}}]"
        )
    if not found:
        raise UserError(
            f"{where} has no column of structures (CIF text or pymatgen JSON); its columns are "
            f"{_shown(columns)}. Name the column:\n      {{path: {where}, structure: ...}}\n"
            "    Compositions without structures are tables of a run (docs/tables.md); models that need no "
            "structure\n    also predict a CSV with a column `formula`."
        )
    return found[0]


def columns_called_structures(columns: Sequence[str]) -> list[str]:
    """Return the columns with a name that is usual for structures; the most usual come first."""
    return _named(columns, STRUCTURES)


def _possible_structure_columns(first: Mapping[str, Any]) -> list[str]:
    """Return the columns that may hold the structures, judging by their first cells."""
    named = columns_called_structures(list(first))
    holding = [name for name, value in first.items() if looks_like_a_structure(value)]
    likely = [name for name in named if name in holding]
    empty = [name for name in named if _is_empty(first[name])]
    return likely or (named if empty else holding or named)


def _is_empty(value: Any) -> bool:
    return value is None or value == ""


def _check_exists(where: str, columns: Sequence[str], stated: str, key: str) -> None:
    if stated not in columns:
        raise UserError(
            f"{where} has no column {stated!r}, which its source names as `{key}`; its columns are "
            f"{_shown(columns)}."
        )


def _shown(columns: Sequence[str]) -> list[str]:
    return [*columns[:SHOWN_COLUMNS], *["..."] * (len(columns) > SHOWN_COLUMNS)]


def unique_names(where: str, header: Sequence[str]) -> list[str]:
    """Return the names of columns; those without a name are called by their number.

    Raises
    ------
    UserError
        If two columns have the same name, or one has a name that is reserved.
    """
    names = [name or f"column_{number}" for number, name in enumerate(header, start=1)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UserError(f"{where} has more than one column {twice}. Rename all but one of each.")
    if reserved := sorted(set(RESERVED) & set(names)):
        raise UserError(
            f"{where} has a column {reserved[0]}, a name that is reserved for Polyfacet. Rename it."
        )
    return names
