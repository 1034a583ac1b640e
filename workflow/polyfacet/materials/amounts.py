"""Check the amounts of elements that a table states, complete them by a balance, convert them to atomic %."""

import math
from collections.abc import Mapping

from pymatgen.core import Element

from polyfacet.config.tables import Unit
from polyfacet.elements.symbols import SYMBOLS
from polyfacet.materials.formula import MAX_AMOUNT

WEIGHTS = ("weight_percent", "weight_fraction")
# Sum of the amounts of a complete composition; atoms per formula unit have no fixed sum.
WHOLE = {"atomic_percent": 100.0, "weight_percent": 100.0, "atomic_fraction": 1.0, "weight_fraction": 1.0}
# Stated amounts are rounded, and traces are omitted: relative excess and deficit that are tolerated.
EXCESS, DEFICIT = 0.005, 0.01
# A smaller share of the balance is the rounding error of 33.3 + 33.3 + 33.4.
_NOTHING = 1e-10
# Decimals of a converted atomic percentage, so that all spellings of a composition give the same one;
# below 1 %, significant digits.
DECIMALS = 6
# A smaller share of an element is a typing error; its statistics would be rounding noise.
MIN_SHARE = 1e-12


class AmountError(ValueError):
    """Amounts that do not form a composition; the message says which and why."""


def checked_amounts(
    stated: Mapping[str, float], unit: Unit, balance: str | None = None, *, partial: bool = False
) -> dict[str, float]:
    """Check the amounts of a row and add the element that makes up the remainder.

    Parameters
    ----------
    stated
        Symbol to amount in ``unit``; zeros mean that the element is absent.
    unit
        Unit of the amounts.
    balance
        Element that makes up the remainder to 100 percent or 1, and is absent if there is no remainder;
        None if there is no such element.
    partial
        Whether the amounts may cover only a part of the composition.  Otherwise they must sum to 100 percent
        or 1, within a relative excess of ``EXCESS`` and a deficit of ``DEFICIT``.

    Returns
    -------
    dict
        Symbol to positive amount in ``unit``, in the order of the row, with the balance last.

    Raises
    ------
    AmountError
        If a symbol is not an element, an amount is negative, not finite, above ``MAX_AMOUNT`` or below
        ``MIN_SHARE`` of the sum, all amounts are zero, or their sum is wrong.
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
        hint = "; for percentages, use the unit weight_percent or atomic_percent" if whole == 1 else ""
        tolerance = f"(tolerance {EXCESS * whole:g})"
        raise AmountError(f"the amounts sum to {total:.6g}, more than {whole:g} {tolerance}{hint}")
    # An end member of a series lacks the balance.
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
        raise AmountError(
            f"the amount of {traces[0]}, {amounts[traces[0]]:g}, is below {MIN_SHARE:g} of the sum"
        )
    return amounts


def _too_little(total: float, whole: float) -> str:
    if whole == 100 and abs(total - 1) <= DEFICIT:
        return f"the amounts sum to {total:g}, not {whole:g}; for fractions, use a unit *_fraction"
    return (
        f"the amounts sum to {total:g}, not {whole:g} (tolerance {DEFICIT * whole:g}): name the element that "
        "makes up the remainder as `composition.balance`, add the missing columns, or set "
        "`composition.partial`"
    )


def atomic_percent(amounts: Mapping[str, float], unit: Unit) -> dict[str, float]:
    """Convert checked amounts to atomic percent of the named elements.

    Weights are divided by the elements' atomic masses.  Results have ``DECIMALS`` decimals, or below 1 % as
    many significant digits, so that no element is lost.
    """
    atoms = {
        symbol: amount / float(Element(symbol).atomic_mass) if unit in WEIGHTS else amount
        for symbol, amount in amounts.items()
    }
    total = math.fsum(atoms.values())
    return {symbol: _rounded(100 * amount / total) for symbol, amount in atoms.items()}


def _rounded(percent: float) -> float:
    return round(percent, DECIMALS) if percent >= 1 else float(f"{percent:.{DECIMALS}g}")
