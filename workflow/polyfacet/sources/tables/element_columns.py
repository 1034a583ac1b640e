"""Columns of elements that a table has and its description does not name."""

from collections.abc import Mapping

from polyfacet.config.tables import TableSource
from polyfacet.materials.amounts import DEFICIT, WHOLE
from polyfacet.sources.tables.description import columns_of
from polyfacet.sources.tables.numbers import NumberError, read_number

# Other symbols are names of properties as well: Tc, Re, Br, V, H.
_ALLOYED = frozenset(
    """
    Li Be Na Mg Al Si Ca Ti Cr Mn Fe Co Ni Cu Zn Ga Ge Zr Nb Mo Pd Ag In Sn Sb La Ce Nd Gd Hf Ta Pt Au Pb Bi
    """.split()  # noqa: SIM905 - a list would take 70 quotes
)


def contradiction(cells: Mapping[str, str], amounts: Mapping[str, float], source: TableSource) -> str | None:
    """Say which column contradicts what is known of a row's composition; None if none does.

    Parameters
    ----------
    cells
        Column to cell.
    amounts
        Symbol to amount, checked, in the unit of the table.
    source
        What the table's columns mean.  A whole composition has all elements; one of `partial` has not.
    """
    composition = source.composition
    whole = WHOLE.get(composition.unit)
    if composition.partial or whole is None:
        return None
    # A column that is named has its own meaning, also that of an objective: corrosion by release of Ni.
    for name in sorted((_ALLOYED - {*columns_of(source)}) & cells.keys()):
        try:
            amount = read_number(cells[name])
        except NumberError:
            continue
        if name == composition.balance:
            rest = amounts.get(name, 0.0)
            if abs(amount - rest) > DEFICIT * whole:
                return f"the balance, {name}, is {rest:g}, but its column has {amount:g}"
        elif amount > 0:
            return (
                f"there is {amount:g} of {name} in a column that `composition.columns` does not name: "
                "name it, or rename the column if it is no amount"
            )
    return None
