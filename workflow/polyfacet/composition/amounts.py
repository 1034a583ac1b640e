"""Amounts of elements as a table states them: checked, and brought from weight to atoms."""

import math
from collections.abc import Mapping
from typing import Literal

from pymatgen.core import Element

from polyfacet.composition.formula import MAX_AMOUNT, SYMBOLS

Unit = Literal["atoms", "atomic_percent", "weight_percent"]


class AmountError(ValueError):
    """Amounts that make no composition; the message says which and why."""


def atomic_amounts(stated: Mapping[str, float], unit: Unit) -> dict[str, float]:
    """Give the amounts of a row in atoms or atomic percent.

    Parameters
    ----------
    stated
        Symbol to amount; zeros mean that the element is absent.
    unit
        ``atoms`` (of any formula unit) and ``atomic_percent`` stay as they are; ``weight_percent`` becomes
        atomic percent of what the row names, so the row must name the balance, too.

    Returns
    -------
    dict
        Symbol to amount, positive, in the order of the row.

    Raises
    ------
    AmountError
        If a symbol is no element, an amount is negative, not finite or above ``MAX_AMOUNT``, or none is left.
    """
    for symbol, amount in stated.items():
        if symbol not in SYMBOLS:
            raise AmountError(f"unknown element {symbol!r}")
        if not math.isfinite(amount):
            raise AmountError(f"the amount of {symbol} is missing or not finite ({amount})")
        if not 0 <= amount <= MAX_AMOUNT:
            raise AmountError(f"the amount of {symbol} is {amount:g}, not between 0 and {MAX_AMOUNT:g}")
    amounts = {symbol: float(amount) for symbol, amount in stated.items() if amount > 0}
    if not amounts:
        raise AmountError("all amounts are zero" if stated else "no element is named")
    if unit != "weight_percent":
        return amounts
    moles = {symbol: amount / float(Element(symbol).atomic_mass) for symbol, amount in amounts.items()}
    total = sum(moles.values())
    return {symbol: 100 * mole / total for symbol, mole in moles.items()}
