"""The columns of a table of crystals: which holds the identifiers, which the structures."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from polyfacet.runtime.errors import UserError
from polyfacet.sources.structures.texts import looks_like_a_structure

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
    "name",
    "filename",
    "file_name",
    "file",
)
STRUCTURES = ("structure", "cif", "cif_structure", "crystal", "atoms", "poscar")
SHOWN_COLUMNS = 20


def is_usual_name(column: str) -> bool:
    """Return whether a column has a name that identifiers or structures usually have."""
    return column.lower() in (*IDENTIFIERS, *STRUCTURES)


def identifier_column(where: str, columns: Sequence[str], stated: str | None) -> str | None:
    """Return the column of the identifiers; None if there is none.

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
    return next(iter(_named(columns, IDENTIFIERS)), None)


def column_of_files(rows: Sequence[Mapping[str, str]], names: Collection[str]) -> str | None:
    """Return the column with a usual name for identifiers that names most files; None if there is none.

    Parameters
    ----------
    rows
        Rows of a CSV of properties, at least one.
    names
        Names of the files, with and without endings.
    """
    columns = _named(list(rows[0]), IDENTIFIERS)
    n_found = {name: sum(row[name].strip() in names for row in rows) for name in columns}
    return max(columns, key=n_found.__getitem__, default=None)


def _named(columns: Sequence[str], usual: Sequence[str]) -> list[str]:
    """Return the columns with usual names, in the order of these."""
    lower = {name.lower(): name for name in reversed(columns)}
    return [lower[name] for name in usual if name in lower]


def structure_column(where: str, first: Mapping[str, Any], stated: str | None) -> str:
    """Return the column of the structures: its content counts more than its name.

    Parameters
    ----------
    where
        The file, for messages.
    first
        Its first row.
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
    named = columns_called_structures(columns)
    found = next(iter(_possible_structure_columns(first)), None)
    if found in named and not looks_like_a_structure(first[found]) and len(named) > 1:
        raise UserError(
            f"{where} has several columns that may hold the structures: {_shown(named)}. Name one of them:\n"
            f"      sources: [{{path: {where}, structure: ...}}]"
        )
    if found is None:
        raise UserError(
            f"{where} has no column of structures (CIF text or pymatgen JSON); its columns are "
            f"{_shown(columns)}. Name the column:\n      {{path: {where}, structure: ...}}\n"
            "    Compositions without structures are tables of a run (docs/tables.md); models that need no "
            "structure\n    also predict a CSV with a column `formula`."
        )
    return found


def columns_called_structures(columns: Sequence[str]) -> list[str]:
    """Return the columns with a name that is usual for structures; the most usual come first."""
    return _named(columns, STRUCTURES)


def _possible_structure_columns(first: Mapping[str, Any]) -> list[str]:
    """Return the columns that may hold the structures, judging by the first row; the likeliest come first."""
    named = columns_called_structures(list(first))
    likely = [name for name in named if looks_like_a_structure(first[name])]
    empty = [name for name in named if first[name] is None or first[name] == ""]
    others = [name for name, value in first.items() if looks_like_a_structure(value)]
    return [*likely, *empty, *others, *named]


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
        If two columns have the same name.
    """
    names = [name or f"column_{number}" for number, name in enumerate(header, start=1)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UserError(f"{where} has more than one column {twice}. Rename all but one of each.")
    return names
