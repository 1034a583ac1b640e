"""Canonical spelling of a composition, in which formulas are written, compared and grouped everywhere.

It is pymatgen's reduced formula: Fe2O3, O3Fe2 and Fe4O6 are all ``Fe2O3``.
"""

import math
from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from pymatgen.core import Composition, Element
from pymatgen.core.composition import reduce_formula

# Amounts this close to whole numbers are whole: sums of occupancies such as 0.3333 and 0.6667 deviate a bit.
WHOLE_WITHIN = 1e-3
# Occupancies are stated with three decimals or more: atomic shares that differ by no more than this are
# equal.  The margin is for sums of floats.
SHARES_WITHIN = 5e-4 + 1e-9
# Formula units of fractional amounts are searched for up to this many atoms.
MAX_UNIT_ATOMS = 100
# Digits of the atomic shares if no formula unit is found.
SHARE_DIGITS = 4


def reduced_formula(amounts: Mapping[str, float]) -> str:
    """Return the canonical spelling of a composition.

    Parameters
    ----------
    amounts
        Symbol to positive amount of atoms, at least one symbol; per cell, formula unit or any other unit.

    Returns
    -------
    str
        Pymatgen's reduced formula.  Fractional amounts become those of the smallest formula unit of at most
        ``MAX_UNIT_ATOMS`` atoms that has the same shares within ``SHARES_WITHIN`` (``FeCoO2`` for half an
        atom each of Fe and Co to one of O), or else atomic shares with ``SHARE_DIGITS`` digits.
    """
    whole = {symbol: round(amount) for symbol, amount in amounts.items()}
    if any(abs(amount - whole[symbol]) > WHOLE_WITHIN for symbol, amount in amounts.items()):
        return _of_fractions(amounts)
    # An element with an amount below the tolerance must not vanish.
    return _of_fractions(amounts) if 0 in whole.values() else _of_whole(whole)


def _of_whole(amounts: Mapping[str, int]) -> str:
    factor = math.gcd(*amounts.values())
    return _spelled(tuple(sorted((symbol, amount // factor) for symbol, amount in amounts.items())))


@lru_cache(maxsize=1 << 16)
def _spelled(amounts: tuple[tuple[str, int], ...]) -> str:
    formula, _ = reduce_formula(dict(amounts))
    # Peroxides and molecular elements are not reduced further: H2O2, O2.
    return Composition.special_formulas.get(formula, formula)


def _of_fractions(amounts: Mapping[str, float]) -> str:
    total = math.fsum(amounts.values())
    shares = {symbol: amount / total for symbol, amount in amounts.items()}
    for atoms in range(len(shares), MAX_UNIT_ATOMS + 1):
        unit = {symbol: round(atoms * share) for symbol, share in shares.items()}
        if all(n and abs(n / atoms - shares[symbol]) <= SHARES_WITHIN for symbol, n in unit.items()):
            return _of_whole(unit)
    ordered = sorted(shares, key=lambda symbol: (_electronegativity(symbol), symbol))
    return "".join(f"{symbol}{_digits(shares[symbol])}" for symbol in ordered)


def _electronegativity(symbol: str) -> float:
    """Return the key by which pymatgen orders the elements of a formula; those without a value come last."""
    value = Element(symbol).X
    return math.inf if math.isnan(value) else value


def _digits(share: float) -> str:
    return np.format_float_positional(share, precision=SHARE_DIGITS, fractional=False, trim="-")
