"""The table of element properties: 94 elements (H to Pu) x 56 properties."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pyarrow as pa

from polyfacet.elements.symbols import SYMBOLS
from polyfacet.facets.compimage.properties import NAMES, PROPERTIES
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.parquet import column, read_table, write_table

ELEMENTS = pa.schema(
    [
        column("element", pa.string(), "symbol of the element"),
        *(column(prop.name, pa.float64(), prop.meaning, prop.unit, nullable=True) for prop in PROPERTIES),
    ]
)


def check_elements(table: pd.DataFrame, origin: str) -> pd.DataFrame:
    """Check a table of element properties and put its columns in the order of the image.

    Parameters
    ----------
    table
        Symbols as index, properties as columns; other columns than the 56 are dropped.  Missing values stay
        missing.
    origin
        Source of the table, for messages.

    Raises
    ------
    UserError
        If a property is missing or not numeric, or the index does not consist of distinct elements.
    """
    missing = [name for name in NAMES if name not in table.columns]
    if missing:
        raise UserError(f"{origin} lacks element properties: {', '.join(missing)}.")
    strange = [str(symbol) for symbol in table.index if symbol not in SYMBOLS]
    if strange or table.empty:
        raise UserError(
            f"{origin} must have element symbols in its first column, not {strange[:5]}. "
            f"Provide a CSV with one row per element."
        )
    if not table.index.is_unique:
        twice = sorted(set(table.index[table.index.duplicated()]))
        raise UserError(f"{origin} has more than one row for {', '.join(twice)}.")
    try:
        checked = table[list(NAMES)].astype(float)
    except ValueError as error:
        raise UserError(f"{origin} has a value that is not a number: {error}.") from error
    return checked.rename_axis("element")


def write_elements(path: Path, table: pd.DataFrame) -> None:
    """Write a checked table as Parquet."""
    write_table(path, table.reset_index(), ELEMENTS)


def read_elements(path: Path) -> pd.DataFrame:
    """Read a table written by `write_elements`: symbols as index, properties as columns."""
    return read_table(path, ELEMENTS).set_index("element")


def elements_without_properties(amounts: Mapping[str, float], table: pd.DataFrame) -> list[str]:
    """Return the elements of a composition that are not in the table (those beyond Pu)."""
    return [symbol for symbol in amounts if symbol not in table.index]
