"""The columns of a table of crystals: which holds the identifiers, which the structures."""

from collections.abc import Mapping, Sequence
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
    lower = {name.lower(): name for name in reversed(columns)}
    return next((lower[name] for name in IDENTIFIERS if name in lower), None)


def structure_column(where: str, first: Mapping[str, Any], stated: str | None) -> str:
    """Return the column of the structures.

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
        If the stated column does not exist, or no column is found.
    """
    columns = list(first)
    if stated is not None:
        _check_exists(where, columns, stated, "structure")
        return stated
    lower = {name.lower(): name for name in reversed(columns)}
    named = next((lower[name] for name in STRUCTURES if name in lower), None)
    found = named or next((name for name, value in first.items() if looks_like_a_structure(value)), None)
    if found is None:
        raise UserError(
            f"{where} has no column of structures (CIF text or pymatgen JSON); its columns are "
            f"{_shown(columns)}. Name the column:\n      {{path: {where}, structure: ...}}\n"
            "    Compositions without structures are tables of a run (docs/tables.md); models that need no "
            "structure\n    also predict a CSV with a column `formula`."
        )
    return found


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
