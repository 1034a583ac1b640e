"""The composition text: a material's formula as language models read it."""

from collections.abc import Callable, Mapping
from decimal import Decimal

from pymatgen.core import Element, Structure

from polyfacet.materials.formula import parse_formula

FRACTION_DIGITS = 4
# Fractions that agree to this many decimals are equal: the order must not depend on the formula unit.
TIE_DECIMALS = 9


def composition(amounts: Mapping[str, float]) -> str:
    """Write symbols and amounts as words, without amounts of 1 (``Ac Hg 2 Cd 2``)."""
    words = []
    for symbol, amount in amounts.items():
        words.append(symbol)
        if amount != 1:
            words.append(_number(amount, ".10g"))
    return " ".join(words)


def cell_composition(structure: Structure) -> str:
    """Write the numbers of atoms in the cell as `composition` does (``Ac 4``), as Costa (2024)."""
    return composition(structure.composition.get_el_amt_dict())


def composition_fraction(amounts: Mapping[str, float]) -> str:
    """Write atomic fractions to four digits (``Ac 0.2 Hg 0.4 Cd 0.4``): the same for any formula unit."""
    return _pairs(_fractions(amounts))


def crabnet(amounts: Mapping[str, float]) -> str:
    """Write the pairs as CrabNet reads them: by decreasing fraction, then by atomic number.

    ``Cd 0.4 Hg 0.4 Ac 0.2`` for any order of elements and any formula unit (Wang et al., "Compositionally
    restricted attention-based network for materials property predictions", 2021).
    """
    fractions = _fractions(amounts)
    order = sorted(fractions, key=lambda symbol: (-round(fractions[symbol], TIE_DECIMALS), Element(symbol).Z))
    return _pairs({symbol: fractions[symbol] for symbol in order})


def _fractions(amounts: Mapping[str, float]) -> dict[str, float]:
    total = sum(amounts.values())
    return {symbol: amount / total for symbol, amount in amounts.items()}


def _pairs(fractions: Mapping[str, float]) -> str:
    return " ".join(
        f"{symbol} {_number(share, f'.{FRACTION_DIGITS}g')}" for symbol, share in fractions.items()
    )


def _number(value: float, form: str) -> str:
    """Format a number without an exponent, which text encoders do not know as a word."""
    return format(Decimal(format(value, form)), "f")


VARIANTS: Mapping[str, Callable[[Mapping[str, float]], str]] = {
    "composition": composition,
    "composition_fraction": composition_fraction,
    "crabnet": crabnet,
    # Differs in its frozen encoding.
    "matscholar": composition,
}


def composition_text(formula: str, variant: str) -> str:
    """Write the text of a formula.

    Parameters
    ----------
    formula
        See `polyfacet.materials.formula.parse_formula`; its order of elements is kept.
    variant
        A key of ``VARIANTS``.

    Raises
    ------
    FormulaError
        If the formula cannot be read.
    """
    return VARIANTS[variant](parse_formula(formula))
