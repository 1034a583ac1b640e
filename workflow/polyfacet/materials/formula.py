"""A chemical formula as amounts of elements, in the order in which the formula names them.

Amounts are read here and not by pymatgen, whose ``Composition`` leaves out amounts below 1e-8 and reads the
dot of a hydrate as a decimal point.  A formula that Polyfacet or a database has written is read as it stands;
one that a person has typed into a table may be a hydrate, and is refused where it can be read in two ways.
"""

import math
import re
from dataclasses import dataclass, field
from itertools import pairwise

from polyfacet.config.elements import SYMBOLS
from polyfacet.config.tables import Brackets
from polyfacet.materials.adducts import AMOUNT, AdductError, split_adducts
from polyfacet.materials.misreadings import misreading

# Far above any cell or percentage; keeps products of nested brackets and sums of amounts finite.
MAX_AMOUNT = 1e6
# Far above any formula; of one that is typed, each dot is compared with all that is around it.
MAX_CHARS, MAX_STATED_CHARS = 10_000, 1_000
_SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")

_TOKEN = re.compile(
    rf"(?P<symbol>[A-Z][a-z]?)|(?P<amount>{AMOUNT})|(?P<open>[(\[{{])|(?P<close>[)\]}}])|(?P<space>[ \t]+)"
)
_BRACKETS = {")": "(", "]": "[", "}": "{"}
# What to do about characters that formulas do not hold.
_HINTS = {
    ".": "write the dot of a hydrate as ·",
    **dict.fromkeys(
        "-–−‑",  # noqa: RUF001
        "write a number for each variable, and an alloy by weight as Ti90Al6V4",
    ),
    **dict.fromkeys("+⁺⁻^±", "leave charges and uncertainties out"),
    **dict.fromkeys(",:", "write an amount behind each element, and nothing between them"),
    **dict.fromkeys("/@;|", "write fractions with a decimal point, and one composition per row"),
    **dict.fromkeys("½¼¾", "write a number such as 0.5"),
    **dict.fromkeys("_$\\<&~", "write amounts as plain digits"),
    "%": "write amounts without %",
}
# How far the amounts of a whole alloy may be from 100 or 1.
_WHOLE_WITHIN = 1e-3
# Elements of molecules, which brackets hold, and whose numbers are no shares.
_IN_MOLECULES = frozenset("H N O F S Cl Se Br Te I".split())  # noqa: SIM905

Token = tuple[str, str]


class FormulaError(ValueError):
    """A formula that names no composition; the message says why."""


@dataclass
class _Group:
    """What a bracket holds, or the whole formula: its terms as amounts and the factor of each."""

    opened: str = ""
    terms: list[dict[str, float]] = field(default_factory=list)
    factors: list[float] = field(default_factory=list)

    def add(self, amounts: dict[str, float]) -> None:
        """Add an element or a closed bracket, once."""
        self.terms.append(amounts)
        self.factors.append(1.0)


def parse_formula(formula: str) -> dict[str, float]:
    """Read a formula whose dots are decimal points.

    Parameters
    ----------
    formula
        Symbols and amounts, with brackets or without: ``AcHg2Cd2``, ``Fe0.5Ni0.5``, ``Ca(OH)2``.

    Returns
    -------
    dict
        Symbol to amount (atoms per formula unit), ordered by first mention; an element that is named twice
        has the sum of its amounts, one of which there is nothing (``Y0``) is left out.

    Raises
    ------
    FormulaError
        If a symbol is no element (isotopes D and T included), an amount is negative or above ``MAX_AMOUNT``,
        all amounts are zero, a bracket is open or empty, or anything else is in the formula.
    """
    plain = _plain(formula)
    return _checked(formula, _read(formula, plain, shares=False))


def parse_alloy(formula: str) -> dict[str, float]:
    """Read a formula whose brackets are sub-alloys: the number behind one is the share of all of it.

    ``(Fe75Co25)83P17`` has 83 parts of Fe75Co25 to 17 of P, where `parse_formula` reads 83 times 100 atoms.
    Otherwise the same, errors included.
    """
    plain = _plain(formula)
    return _checked(formula, _read(formula, plain, shares=True))


def parse_stated_formula(formula: str, brackets: Brackets = "atoms") -> dict[str, float]:
    """Read a formula as a table states it.

    Parameters
    ----------
    formula
        Like that of `parse_formula`, also of a hydrate or another adduct, ``CuSO4·5H2O`` (see
        `polyfacet.materials.adducts.split_adducts`).
    brackets
        Whether brackets are groups of atoms or, as in `parse_alloy`, sub-alloys; no alloy is a hydrate.

    Returns
    -------
    dict
        As `parse_formula` returns.

    Raises
    ------
    FormulaError
        Where `parse_formula` does, and where a formula can be read in two ways or is likely to mean something
        else (see `polyfacet.materials.misreadings`).
    """
    plain = " ".join(_plain(formula, MAX_STATED_CHARS).split()).removesuffix(".")
    meant = misreading(plain)
    if meant:
        raise FormulaError(f"formula {formula!r} {meant}")
    try:
        parts = split_adducts(plain)
    except AdductError as error:
        raise FormulaError(f"formula {formula!r} {error}") from error
    if brackets == "shares" and len(parts) == 1:
        return parse_alloy(plain)
    if brackets == "shares":
        raise FormulaError(
            f"formula {formula!r} has the dot of a hydrate, but is read as an alloy (`brackets: shares`)"
        )
    total: dict[str, float] = {}
    for factor, part in parts:
        for symbol, amount in _read(formula, part, shares=False).items():
            total[symbol] = total.get(symbol, 0.0) + factor * amount
    amounts = _checked(formula, total)
    if len(parts) == 1 and _has_shares(plain, amounts):
        raise FormulaError(
            f"formula {formula!r} has brackets whose numbers are shares of an alloy: set "
            "`composition.brackets: shares`, or write it without brackets"
        )
    return amounts


def _has_shares(formula: str, atoms: dict[str, float]) -> bool:
    """Whether the numbers behind brackets are shares of a whole, 100 or 1, which atoms do not add up to."""
    if not any(bracket in formula for bracket in "([{") or _IN_MOLECULES & atoms.keys():
        return False
    whole, total = (math.fsum(amounts.values()) for amounts in (parse_alloy(formula), atoms))
    return any(
        math.isclose(whole, expected, rel_tol=_WHOLE_WITHIN)
        and not math.isclose(total, whole, rel_tol=_WHOLE_WITHIN)
        for expected in (1.0, 100.0)
    )


def _plain(formula: str, max_chars: int = MAX_CHARS) -> str:
    """Write subscripts as digits."""
    if len(formula) > max_chars:
        raise FormulaError(
            f"formula {formula[:40]!r}... has {len(formula)} characters, more than {max_chars}"
        )
    return formula.translate(_SUBSCRIPTS)


def _checked(formula: str, total: dict[str, float]) -> dict[str, float]:
    amounts = {symbol: amount for symbol, amount in total.items() if amount > 0}
    if not amounts:
        raise FormulaError(f"formula {formula!r}: all amounts are zero")
    for symbol, amount in amounts.items():
        if not amount <= MAX_AMOUNT:
            raise FormulaError(f"formula {formula!r}: the amount of {symbol} is above {MAX_AMOUNT:g}")
    return amounts


def _read(formula: str, part: str, *, shares: bool) -> dict[str, float]:
    """Add up the elements of a formula without adducts; brackets are kept on a stack of their own."""
    stack = [_Group()]
    previous = ""
    for kind, text in _tokens(formula, part):
        group = stack[-1]
        if kind == "symbol":
            group.add({text: 1.0})
        elif kind == "open":
            stack.append(_Group(text))
        elif kind == "close":
            if group.opened != _BRACKETS[text] or not group.terms:
                raise FormulaError(
                    f"formula {formula!r} cannot be read: a bracket is empty or not closed by its own kind"
                )
            stack.pop()
            stack[-1].add(_sum(group, shares))
        elif previous in ("symbol", "close"):
            group.factors[-1] = float(text)
        else:
            raise FormulaError(
                f"formula {formula!r} cannot be read: {text} follows no element and no bracket"
            )
        previous = kind
    if len(stack) > 1:
        raise FormulaError(f"formula {formula!r} cannot be read: bracket {stack[-1].opened!r} is not closed")
    return _sum(stack[0], shares=False)


def _sum(group: _Group, shares: bool) -> dict[str, float]:
    """Add up a group; where brackets are shares, to a total of 1."""
    amounts: dict[str, float] = {}
    for term, factor in zip(group.terms, group.factors, strict=True):
        for symbol, amount in term.items():
            amounts[symbol] = amounts.get(symbol, 0.0) + amount * factor
    whole = math.fsum(amounts.values())
    if not shares or not whole:
        return amounts
    return {symbol: amount / whole for symbol, amount in amounts.items()}


def _tokens(formula: str, part: str) -> list[Token]:
    """Cut a formula into symbols, amounts and brackets."""
    tokens: list[Token] = []
    position = 0
    while position < len(part):
        match = _TOKEN.match(part, position)
        if match is None:
            place = position + max(_plain(formula).find(part), 0) + 1
            hint = f": {_HINTS[part[position]]}" if part[position] in _HINTS else ""
            raise FormulaError(f"formula {formula!r} has {part[position]!r} at position {place}{hint}")
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
    return tokens
