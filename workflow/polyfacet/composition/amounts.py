"""Amounts of elements as a table states them: checked, completed by a balance, converted to atomic %."""

import math
from collections.abc import Mapping
from typing import Literal

from pymatgen.core import Element

from polyfacet.composition.formula import MAX_AMOUNT, SYMBOLS

Unit = Literal["atoms", "atomic_percent", "atomic_fraction", "weight_percent", "weight_fraction"]

WEIGHTS = ("weight_percent", "weight_fraction")
# What a whole composition amounts to; atoms of a formula unit have no such whole.
WHOLE = {"atomic_percent": 100.0, "weight_percent": 100.0, "atomic_fraction": 1.0, "weight_fraction": 1.0}
# Stated amounts are rounded: so much more than the whole is still no error.
EXCESS = 0.005
# Decimals of a converted atomic percentage, so that spellings of one composition become one composition.
DECIMALS = 6


class AmountError(ValueError):
    """Amounts that make no composition; the message says which and why."""


def checked_amounts(stated: Mapping[str, float], unit: Unit, balance: str | None = None) -> dict[str, float]:
    """Check the amounts of a row and add the element that makes up the rest.

    Parameters
    ----------
    stated
        Symbol to amount in ``unit``; zeros mean that the element is absent.
    unit
        What the amounts are.
    balance
        Element that has what is left to the whole, 100 percent or 1; None for none.

    Returns
    -------
    dict
        Symbol to amount, positive, in ``unit``, in the order of the row, the balance last.

    Raises
    ------
    AmountError
        If a symbol is no element, an amount is negative, not finite or above ``MAX_AMOUNT``, none is left,
        the amounts exceed the whole, or nothing is left for the balance.
    """
    for symbol, amount in stated.items():
        if symbol not in SYMBOLS:
            raise AmountError(f"unknown element {symbol!r}")
        if not math.isfinite(amount):
            raise AmountError(f"the amount of {symbol} is missing or not finite ({amount})")
        if not 0 <= amount <= MAX_AMOUNT:
            raise AmountError(f"the amount of {symbol} is {amount:g}, not between 0 and {MAX_AMOUNT:g}")
    amounts = {symbol: float(amount) for symbol, amount in stated.items() if amount > 0}
    total, whole = math.fsum(amounts.values()), WHOLE.get(unit, math.inf)
    if total > whole * (1 + EXCESS):
        raise AmountError(f"the amounts sum to {total:g}, more than {whole:g}")
    if balance is not None:
        if total >= whole:
            raise AmountError(f"the amounts sum to {total:g}: nothing is left for the balance, {balance}")
        amounts[balance] = whole - total
    if not amounts:
        raise AmountError("all amounts are zero" if stated else "no element is named")
    return amounts


def atomic_percent(amounts: Mapping[str, float], unit: Unit) -> dict[str, float]:
    """Convert checked amounts to atomic percent of what they name.

    Weights are divided by the elements' atomic masses.  Rounded to ``DECIMALS``; what rounds to nothing is
    left out.
    """
    atoms = {
        symbol: amount / float(Element(symbol).atomic_mass) if unit in WEIGHTS else amount
        for symbol, amount in amounts.items()
    }
    total = math.fsum(atoms.values())
    shares = {symbol: round(100 * amount / total, DECIMALS) for symbol, amount in atoms.items()}
    return {symbol: share for symbol, share in shares.items() if share > 0}
