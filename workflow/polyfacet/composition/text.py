"""The composition text: what a language model reads of a material."""

from collections.abc import Callable, Mapping

from polyfacet.composition.formula import parse_formula


def composition(amounts: Mapping[str, float]) -> str:
    """Write the study's form: symbols and amounts set apart, amounts of 1 left out (``Ac Hg 2 Cd 2``)."""
    words = []
    for symbol, amount in amounts.items():
        words.append(symbol)
        if amount != 1:
            words.append(format(amount, ".10g"))
    return " ".join(words)


def composition_fraction(amounts: Mapping[str, float]) -> str:
    """Write atomic fractions to four digits (``Ac 0.2 Hg 0.4 Cd 0.4``): the same for any formula unit."""
    total = sum(amounts.values())
    return " ".join(f"{symbol} {amount / total:.4g}" for symbol, amount in amounts.items())


VARIANTS: Mapping[str, Callable[[Mapping[str, float]], str]] = {
    "composition": composition,
    "composition_fraction": composition_fraction,
}


def composition_text(formula: str, variant: str) -> str:
    """Write the text of a formula.

    Parameters
    ----------
    formula
        See `polyfacet.composition.formula.parse_formula`; its order of elements is kept.
    variant
        Key of ``VARIANTS``.

    Raises
    ------
    FormulaError
        If the formula cannot be read.
    """
    return VARIANTS[variant](parse_formula(formula))
