"""Read the rows of a table: each is checked, and either kept with its identifier or rejected with reason."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pymatgen.core import Element

from polyfacet.config.tables import CompositionColumns, TableSource
from polyfacet.elements.symbols import SYMBOLS
from polyfacet.materials.amounts import AmountError, atomic_percent, checked_amounts
from polyfacet.materials.formula import FormulaError
from polyfacet.materials.objectives import Objective
from polyfacet.materials.stated_formulas import parse_stated_formula
from polyfacet.materials.stated_numbers import (
    MISSING,
    MissingNumberError,
    NumberError,
    is_missing,
    read_number,
)
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.identifiers import invalid_mat_id_reason
from polyfacet.sources.csv_lines import read_lines
from polyfacet.sources.tables.description import columns_of, objectives_of
from polyfacet.sources.tables.element_columns import contradiction

# Plutonium, the last element of the table of element properties.
LAST_ELEMENT = 94
# Names of summary rows below the others, apart from points and colons: Std. dev., S.D., Average:, Mean value.
_STATISTIC = re.compile(
    r"(?:mean|average|avg|median|sum|total|count|max|maximum|min|minimum|variance|s ?d"
    r"|std|stdev|(?:st|std|standard) ?(?:dev|deviation|err|error))(?: values?)?",
    re.IGNORECASE,
)


class RowError(ValueError):
    """A row that cannot be used; the message is the reason."""


class MissingValueError(RowError):
    """A value that a row lacks."""


@dataclass(frozen=True)
class Row:
    """A checked row."""

    mat_id: str
    line: int
    # Symbol to amount: atomic percent, or as stated in the table if it is not converted.
    amounts: dict[str, float]
    # Numbers of each facet of columns besides the composition.
    features: dict[str, list[float]]
    # None where it was not measured.
    objectives: dict[str, float | str | None]
    # Texts of further columns that splits group by; None where the cell is empty.
    split_columns: dict[str, str | None]

    @property
    def formula(self) -> str:
        """The composition as canonical text: equal for equal amounts."""
        return "".join(
            f"{symbol}{np.format_float_positional(amount, trim='-')}"
            for symbol, amount in sorted(self.amounts.items())
        )


@dataclass(frozen=True)
class RejectedRow:
    """A row that is left out, with the reason."""

    file: str
    line: int
    mat_id: str
    reason: str


def read_rows(
    name: str, source: TableSource, split_columns: Sequence[str] = ()
) -> tuple[list[Row], list[RejectedRow]]:
    """Read a table; every row is either kept or rejected.

    Parameters
    ----------
    name
        Name of the table; rows without an identifier are called ``<name>-0001``, with their number.
    source
        The file and the meaning of its columns.
    split_columns
        Further columns of the file, which splits group by.

    Returns
    -------
    tuple of list of Row and list of RejectedRow
        In the order of the file.

    Raises
    ------
    UserError
        If the file cannot be read, has no rows, or lacks a column.
    """
    kept: list[Row] = []
    rejected: list[RejectedRow] = []
    seen: dict[str, int] = {}
    columns = list(dict.fromkeys([*columns_of(source), *split_columns]))
    for number, line in enumerate(read_lines(Path(source.file), columns), start=1):
        cells = line.cells
        mat_id = f"{name}-{number:04d}" if source.id is None or cells is None else cells[source.id].strip()
        try:
            if cells is None:
                raise RowError(line.problem)
            if mat_id in seen:
                raise RowError(f"duplicate identifier, first in line {seen[mat_id]}")
            seen[mat_id] = line.number
            kept.append(_row(mat_id, line.number, cells, source, split_columns))
        except (RowError, AmountError, FormulaError) as error:
            rejected.append(RejectedRow(source.file, line.number, mat_id[:80], str(error)))
    if not kept and not rejected:
        raise UserError(f"{source.file} has a header but no rows.")
    return kept, rejected


def element_features(rows: Sequence[Row], source: TableSource) -> list[str]:
    """Return the elements whose amounts are features.

    They are those of the table's columns and its balance; if compositions are stated as formulas, all
    elements of any row, by atomic number.
    """
    if source.composition.columns:
        return [*source.composition.columns, *filter(None, [source.composition.balance])]
    named = {symbol for row in rows for symbol in row.amounts}
    return sorted(named, key=lambda symbol: Element(symbol).Z)


def _row(
    mat_id: str, line: int, cells: dict[str, str], source: TableSource, split_columns: Sequence[str]
) -> Row:
    for name in (mat_id, next(iter(cells.values())).strip()):
        if _STATISTIC.fullmatch(" ".join(re.sub("[.:]", " ", name).split())):
            raise RowError(f"the row is a summary of others: {name!r}")
    reason = invalid_mat_id_reason(mat_id)
    if reason:
        raise RowError(reason)
    return Row(
        mat_id,
        line,
        _amounts(cells, source),
        {
            facet: [_number(cells[name], name) for name in columns]
            for facet, columns in source.features.items()
        },
        _objectives(cells, source),
        # Texts such as `none` are groups: as missing values, their rows would come apart.
        {name: cells[name].strip() or None for name in split_columns},
    )


def _amounts(cells: dict[str, str], source: TableSource) -> dict[str, float]:
    composition = source.composition
    if composition.formula is None:
        stated = {symbol: _number(cells[name], name) for symbol, name in composition.columns.items()}
    else:
        stated = _formula(cells[composition.formula].strip(), composition)
    amounts = checked_amounts(stated, composition.unit, composition.balance, partial=composition.partial)
    heavy = [symbol for symbol in amounts if Element(symbol).Z > LAST_ELEMENT]
    if heavy:
        raise RowError(f"no properties are known for {', '.join(heavy)}: Z is above {LAST_ELEMENT}")
    if composition.formula is None:
        problem = contradiction(cells, amounts, source)
        if problem:
            raise RowError(problem)
    return atomic_percent(amounts, composition.unit) if composition.convert else amounts


def _formula(text: str, composition: CompositionColumns) -> dict[str, float]:
    # Na and Nd are elements; NaN is not a compound.
    if text.lower() in MISSING and text not in SYMBOLS:
        raise RowError(f"{composition.formula} is missing" + (f" ({text!r})" if text else ""))
    return parse_stated_formula(text, composition.brackets)


def _objectives(cells: dict[str, str], source: TableSource) -> dict[str, float | str | None]:
    """Read the objectives of a row, of which at least one must be present; new materials have none."""
    values: dict[str, float | str | None] = {}
    missing = []
    for objective in objectives_of(source):
        try:
            values[objective.column] = _objective(cells, source, objective)
        except MissingValueError as error:
            values[objective.column] = None
            missing.append(str(error))
    if missing and len(missing) == len(values):
        raise RowError(" and ".join(missing))
    return values


def _objective(cells: dict[str, str], source: TableSource, objective: Objective) -> float | str:
    name = source.objectives[objective.column].column
    if not objective.classes:
        return _number(cells[name], name)
    text = cells[name].strip()
    if text in objective.classes:
        return text
    if is_missing(text):
        raise MissingValueError(f"{name} is missing ({text!r})" if text else f"{name} is missing")
    raise RowError(f"{name} is {text[:40]!r}, not one of {', '.join(objective.classes)}")


def _number(text: str, name: str) -> float:
    try:
        return read_number(text)
    except MissingNumberError as error:
        raise MissingValueError(f"{name} is {error}") from error
    except NumberError as error:
        raise RowError(f"{name} is {error}") from error
