"""Columns that state the formula of their row, and whether it is that of the row's structure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeGuard

from polyfacet.elements.symbols import SYMBOLS
from polyfacet.materials.formula import FormulaError
from polyfacet.materials.stated_formulas import parse_stated_formula
from polyfacet.materials.stated_numbers import is_missing
from polyfacet.sources.cell_agreement import Cell, are_stated, shares_are_close
from polyfacet.sources.values import InvalidEntryError

# In lower case, with `_` for spaces.
FORMULAS = frozenset(
    (
        "formula",
        "pretty_formula",
        "formula_pretty",
        "reduced_formula",
        "formula_reduced",
        "full_formula",
        "chemical_formula",
        "chemical_formula_reduced",
        "composition",
        "composition_reduced",
        "reduced_composition",
    )
)


def formula_columns(rows: Iterable[Mapping[str, Any]], id_column: str | None = None) -> tuple[str, ...]:
    """Return the columns that state formulas.

    Parameters
    ----------
    rows
        Some rows; a column with a usual name states formulas if all its values in them are formulas.
    id_column
        Column of the identifiers, which are no formulas, whatever its name.
    """
    values: dict[str, list[str]] = {}
    for row in rows:
        for name, value in row.items():
            is_usual = name.lower().replace(" ", "_") in FORMULAS and name != id_column
            if is_usual and _is_stated(value):
                values.setdefault(name, []).append(value)
    return tuple(name for name, texts in values.items() if all(map(_is_formula, texts)))


def check_formulas(data: Mapping[str, Any], columns: Sequence[str], cell: Cell) -> None:
    """Compare the formulas of a row with its structure; other texts are ignored.

    Parameters
    ----------
    data
        The row.
    columns
        Its columns with formulas; see `formula_columns`.
    cell
        Quantities derived from its structure.

    Raises
    ------
    InvalidEntryError
        If a formula is that of another structure: cells of the table may have been shifted.
    """
    for name in columns:
        text = data.get(name)
        if not _is_stated(text) or text == cell.formula:
            continue
        try:
            amounts = parse_stated_formula(text)
        except FormulaError:
            continue
        if not _agrees(text, amounts, cell):
            raise InvalidEntryError(
                f"{name} is {text[:80]!r}, but the structure is {cell.formula}: correct the row, or rename "
                "the column if it is not the formula of the structure"
            )


def _agrees(text: str, amounts: Mapping[str, float], cell: Cell) -> bool:
    """Return whether amounts may be those of the structure, in atoms or, rounded, in percent."""
    if amounts.keys() != cell.amounts.keys():
        return False
    # "Na O" is a chemical system.
    is_system = " " in text.strip() and not any(map(str.isdigit, text))
    return is_system or shares_are_close(amounts, cell.amounts) or are_stated(amounts, cell)


def _is_stated(value: Any) -> TypeGuard[str]:
    # Na is sodium.
    return isinstance(value, str) and (value.strip() in SYMBOLS or not is_missing(value.strip()))


def _is_formula(text: str) -> bool:
    try:
        parse_stated_formula(text)
    except FormulaError:
        return False
    return True
