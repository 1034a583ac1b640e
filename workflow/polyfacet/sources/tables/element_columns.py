"""Element columns of a table that its description does not name."""

from collections.abc import Mapping

from polyfacet.config.tables import TableSource
from polyfacet.elements.column_names import element_in, is_by_atoms, is_by_weight, is_in_ppm, states_percent
from polyfacet.materials.amounts import DEFICIT, WEIGHTS, WHOLE
from polyfacet.materials.stated_numbers import NumberError, read_number
from polyfacet.sources.tables.description import columns_of

# Without a unit, other symbols are also names of properties: Tc, Re, Br, V, H.
_ALLOYED = frozenset(
    """
    Li Be Na Mg Al Si Ca Ti Cr Mn Fe Co Ni Cu Zn Ga Ge Zr Nb Mo Pd Ag In Sn Sb La Ce Nd Gd Hf Ta Pt Au Pb Bi
    """.split()  # noqa: SIM905 - a list would take 70 quotes
)
# Only with a percent sign.
_IN_PERCENT = frozenset(["B", "C", "N", "O", "P", "S", "V", "W", "Y"])
# Carbon monoxide, inches, a serial number.
_OTHER_THINGS = frozenset(["CO", "IN", "in", "SN"])


def contradiction(cells: Mapping[str, str], amounts: Mapping[str, float], source: TableSource) -> str | None:
    """Return how a column contradicts a row's composition; None if none does.

    Parameters
    ----------
    cells
        Column to cell.
    amounts
        Symbol to amount, checked, in the unit of the table.
    source
        Meaning of the table's columns.  A partial composition may lack elements, and is not checked.
    """
    composition = source.composition
    whole = WHOLE.get(composition.unit)
    if composition.partial or whole is None:
        return None
    # A named column has its own meaning, which may be an objective: corrosion by release of Ni.
    for name in sorted(cells.keys() - {*columns_of(source)}):
        symbol = _amounts_of(name)
        # A named element in its other unit: Cr wt% and Cr at%.
        if symbol is None or (symbol in composition.columns and symbol != name):
            continue
        try:
            amount = read_number(cells[name])
        except NumberError:
            continue
        if symbol == composition.balance:
            rest = amounts.get(symbol, 0.0)
            is_of_other_unit = is_by_atoms if composition.unit in WEIGHTS else is_by_weight
            if abs(amount - rest) > DEFICIT * whole and not is_of_other_unit(name):
                return f"the balance, {symbol}, is {rest:g}, but its column has {amount:g}"
        elif amount > 0:
            return _unnamed(name, symbol, amount)
    return None


def _unnamed(name: str, symbol: str, amount: float) -> str:
    column = "a column" if symbol == name else f"the column {name!r}"
    return (
        f"there is {amount:g} of {symbol} in {column} that `composition.columns` does not name: "
        "name it, or rename the column if it is not an amount"
    )


def _amounts_of(name: str) -> str | None:
    """Return the element whose amounts a column states, judging by its name; None if there is none."""
    symbol = element_in(name)
    if symbol is None or is_in_ppm(name):
        return None
    if is_by_weight(name) or is_by_atoms(name):
        return symbol
    known = _ALLOYED | _IN_PERCENT if states_percent(name) else _ALLOYED
    return symbol if symbol in known and name not in _OTHER_THINGS else None
