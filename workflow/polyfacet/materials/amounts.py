"""Amounts of elements as a table states them: checked, completed by a balance, converted to atomic %."""

import math
from collections.abc import Mapping

from pymatgen.core import Element

from polyfacet.config.tables import Unit
from polyfacet.elements.symbols import SYMBOLS
from polyfacet.materials.formula import MAX_AMOUNT

WEIGHTS = ("weight_percent", "weight_fraction")
# What a whole composition amounts to; atoms of a formula unit have no such whole.
WHOLE = {"atomic_percent": 100.0, "weight_percent": 100.0, "atomic_fraction": 1.0, "weight_fraction": 1.0}
# Stated amounts are rounded, and traces are left out: so much more or less than the whole is still no error.
EXCESS, DEFICIT = 0.005, 0.01
# So much of the whole is no amount of the balance but rounding of 33.3 + 33.3 + 33.4.
_NOTHING = 1e-10
# Decimals of a converted atomic percentage, so that spellings of one composition become one composition;
# below 1 % as many digits.
DECIMALS = 6
# An element with less than this share of all atoms is a slip of the pen; its statistics would be rounding.
MIN_SHARE = 1e-12


class AmountError(ValueError):
    """Amounts that make no composition; the message says which and why."""


def checked_amounts(
    stated: Mapping[str, float], unit: Unit, balance: str | None = None, *, partial: bool = False
) -> dict[str, float]:
    """Check the amounts of a row and add the element that makes up the rest.

    Parameters
    ----------
    stated
        Symbol to amount in ``unit``; zeros mean that the element is absent.
    unit
        What the amounts are.
    balance
        Element that has what is left to the whole, 100 percent or 1, and is absent where nothing is; None
        for none.
    partial
        Whether the amounts may be of a part of the composition only.  Otherwise they have to sum to the
        whole, up to ``EXCESS`` more and ``DEFICIT`` less of it.

    Returns
    -------
    dict
        Symbol to amount, positive, in ``unit``, in the order of the row, the balance last.

    Raises
    ------
    AmountError
        If a symbol is no element, an amount is negative, not finite, above ``MAX_AMOUNT`` or below
        ``MIN_SHARE`` of all, none is left, or the amounts are not the whole.
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
    # 70.3 + 30.2 is not 100.5 to a computer.
    if total > whole * (1 + EXCESS) * (1 + 1e-12):
        hint = "; percentages are in the unit weight_percent or atomic_percent" if whole == 1 else ""
        within = f"(within {EXCESS * whole:g})"
        raise AmountError(f"the amounts sum to {total:.6g}, more than {whole:g} {within}{hint}")
    # An end member of a series has none of it.
    if balance is not None and whole - total > _NOTHING * whole:
        amounts[balance] = whole - total
    if not amounts:
        raise AmountError("all amounts are zero" if stated else "no element is named")
    if balance is None and not partial and math.isfinite(whole) and total < whole * (1 - DEFICIT):
        raise AmountError(_too_little(total, whole))
    traces = [
        symbol for symbol, amount in amounts.items() if amount < MIN_SHARE * math.fsum(amounts.values())
    ]
    if traces:
        raise AmountError(f"the amount of {traces[0]}, {amounts[traces[0]]:g}, is below {MIN_SHARE:g} of all")
    return amounts


def _too_little(total: float, whole: float) -> str:
    if whole == 100 and abs(total - 1) <= DEFICIT:
        return f"the amounts sum to {total:g}, not {whole:g}: fractions are in the unit *_fraction"
    return (
        f"the amounts sum to {total:g}, not {whole:g} (within {DEFICIT * whole:g}): name the element that "
        "has the rest as `composition.balance`, add the missing columns, or set `composition.partial`"
    )


def atomic_percent(amounts: Mapping[str, float], unit: Unit) -> dict[str, float]:
    """Convert checked amounts to atomic percent of what they name.

    Weights are divided by the elements' atomic masses.  Rounded to ``DECIMALS``, or below 1 % to as many
    significant digits, so that no element is lost.
    """
    atoms = {
        symbol: amount / float(Element(symbol).atomic_mass) if unit in WEIGHTS else amount
        for symbol, amount in amounts.items()
    }
    total = math.fsum(atoms.values())
    return {symbol: _rounded(100 * amount / total) for symbol, amount in atoms.items()}


def _rounded(percent: float) -> float:
    return round(percent, DECIMALS) if percent >= 1 else float(f"{percent:.{DECIMALS}g}")
