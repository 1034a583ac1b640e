"""A chemical formula as amounts of elements, in the order in which the formula names them."""

import re
from itertools import pairwise

from pymatgen.core import Composition, Element

SYMBOLS = frozenset(Element.from_Z(z).symbol for z in range(1, 119))
# Far above any cell or percentage; keeps products of nested brackets and sums of amounts finite.
MAX_AMOUNT = 1e6

_TOKEN = re.compile(
    r"(?P<symbol>[A-Z][a-z]?)|(?P<amount>\d+(?:\.\d*)?|\.\d+)|(?P<bracket>[()\[\]{}])|(?P<space>\s+)"
)
_INNERMOST = re.compile(r"[(\[{](?P<inside>[^()\[\]{}]*)[)\]}]\s*(?P<amount>\d+(?:\.\d*)?|\.\d+)?")
_DECIMALS = 9


class FormulaError(ValueError):
    """A formula that names no composition; the message says why."""


def parse_formula(formula: str) -> dict[str, float]:
    """Read a formula.

    Parameters
    ----------
    formula
        Symbols and amounts, with brackets or without: ``AcHg2Cd2``, ``Fe0.5Ni0.5``, ``Ca(OH)2``.

    Returns
    -------
    dict
        Symbol to amount (atoms per formula unit), ordered by first mention; an element that is named twice
        has the sum of its amounts, one of which there is nothing (``Y0``, below 1e-8) is left out.

    Raises
    ------
    FormulaError
        If a symbol is no element (isotopes D and T included), an amount is negative or above ``MAX_AMOUNT``,
        all amounts are zero, a bracket is open or empty, or anything else is in the formula.
    """
    _check_tokens(formula)
    try:
        composition = Composition(formula, strict=True)
    except ValueError as error:
        raise FormulaError(f"formula {formula!r} cannot be read: {error}") from error
    amounts = {element.symbol: float(amount) for element, amount in composition.items()}
    if not amounts:
        raise FormulaError(f"formula {formula!r}: all amounts are zero")
    for symbol, amount in amounts.items():
        if not amount <= MAX_AMOUNT:
            raise FormulaError(f"formula {formula!r}: the amount of {symbol} is above {MAX_AMOUNT:g}")
    return amounts


def parse_alloy(formula: str) -> dict[str, float]:
    """Read a formula whose brackets are sub-alloys: the number behind one is the share of all of it.

    ``(Fe75Co25)83P17`` has 83 parts of Fe75Co25 to 17 of P, where `parse_formula` reads 83 times 100 atoms.
    Otherwise the same, errors included.
    """
    _check_tokens(formula)
    flat = formula
    while group := _INNERMOST.search(flat):
        amounts = parse_formula(group["inside"])
        unit = float(group["amount"] or 1) / sum(amounts.values())
        parts = [f"{symbol}{amount * unit:.{_DECIMALS}f}" for symbol, amount in amounts.items()]
        flat = f"{flat[: group.start()]}{''.join(parts)}{flat[group.end() :]}"
    return parse_formula(flat)


def _check_tokens(formula: str) -> None:
    """Check a formula's tokens, which pymatgen reads leniently."""
    tokens: list[tuple[str, str]] = []
    position = 0
    while position < len(formula):
        match = _TOKEN.match(formula, position)
        if match is None:
            raise FormulaError(f"formula {formula!r} has {formula[position]!r} at position {position + 1}")
        if match.lastgroup and match.lastgroup != "space":
            tokens.append((match.lastgroup, match.group()))
        position = match.end()
    for (kind, text), (next_kind, next_text) in pairwise(tokens):
        if kind == next_kind == "amount":
            raise FormulaError(f"formula {formula!r} has two amounts in a row, {text} and {next_text}")
    symbols = [text for kind, text in tokens if kind == "symbol"]
    unknown = [symbol for symbol in symbols if symbol not in SYMBOLS]
    if unknown:
        raise FormulaError(f"formula {formula!r}: unknown element {unknown[0]!r}")
    if not symbols:
        raise FormulaError(f"formula {formula!r} names no element")
