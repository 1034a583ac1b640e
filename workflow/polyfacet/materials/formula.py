"""Read chemical formulas as amounts of elements, in the order in which the formula names them.

Amounts are read here and not by pymatgen, whose ``Composition`` drops amounts below 1e-8 and reads the dot
of a hydrate as a decimal point.  Here all dots are decimal points: `polyfacet.materials.stated_formulas`
reads formulas that people typed into tables.
"""

import math
import re
import unicodedata
from dataclasses import dataclass, field
from itertools import pairwise

from polyfacet.elements.symbols import SYMBOLS

# Far above any cell or percentage; keeps products of nested brackets and sums of amounts finite.
MAX_AMOUNT = 1e6
# Far above any formula.
MAX_CHARS = 10_000
_SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")

AMOUNT = r"[0-9]+(?:\.[0-9]*)?|\.[0-9]+"
_TOKEN = re.compile(
    rf"(?P<symbol>[A-Z][a-z]?)|(?P<amount>{AMOUNT})|(?P<open>[(\[{{])|(?P<close>[)\]}}])|(?P<space>[ \t]+)"
)
_BRACKETS = {")": "(", "]": "[", "}": "{"}
# Advice on characters that do not occur in formulas.
_HINTS = {
    ".": "write the dot of a hydrate as ·",
    **dict.fromkeys(
        "-–−‑",  # noqa: RUF001
        "write a number for each variable, and an alloy by weight as Ti90Al6V4",
    ),
    **dict.fromkeys("+⁺⁻^±", "write a number for each variable, and omit charges and uncertainties"),
    **dict.fromkeys("xδ", "write a number for each variable"),
    **dict.fromkeys(",:", "use decimal points, and write each amount directly after its element"),
    **dict.fromkeys("/@;|", "write fractions with a decimal point, and one composition per row"),
    **dict.fromkeys("½¼¾", "write a number such as 0.5"),
    **dict.fromkeys("ⅠⅡⅢⅣⅤⅥⅦⅧ", "omit oxidation numbers"),
    **dict.fromkeys("_$\\<&~", "write amounts as plain digits"),
    "%": "write amounts without %",
}
_NAMES = "begin each symbol with a capital letter, and omit names, phases and states"
Token = tuple[str, str]


class FormulaError(ValueError):
    """A formula that does not name a composition; the message says why."""


@dataclass
class _Group:
    """Content of a bracket or of the entire formula: its terms as amounts, and the factor of each."""

    opened: str = ""
    terms: list[dict[str, float]] = field(default_factory=list)
    factors: list[float] = field(default_factory=list)

    def add(self, amounts: dict[str, float]) -> None:
        """Add an element or a closed bracket, once."""
        self.terms.append(amounts)
        self.factors.append(1.0)


def parse_formula(formula: str, *, deuterium: bool = False) -> dict[str, float]:
    """Read a formula whose dots are decimal points.

    Parameters
    ----------
    formula
        Symbols and amounts, with or without brackets: ``AcHg2Cd2``, ``Fe0.5Ni0.5``, ``Ca(OH)2``.
    deuterium
        Whether D counts as hydrogen.

    Returns
    -------
    dict
        Symbol to amount (atoms per formula unit), ordered by first mention.  The amounts of an element that
        is named twice are added; an element with the amount zero (``Y0``) is omitted.

    Raises
    ------
    FormulaError
        If a symbol is not an element (including T, and D unless it counts as hydrogen), an amount is
        negative or above ``MAX_AMOUNT``, all amounts are zero, a bracket is unclosed or empty, or the
        formula contains anything else.
    """
    return _checked(formula, _read(formula, shares=False, deuterium=deuterium))


def parse_alloy(formula: str, *, deuterium: bool = False) -> dict[str, float]:
    """Read a formula whose brackets are sub-alloys: the number after a bracket is the share of its total.

    ``(Fe75Co25)83P17`` has 83 parts of Fe75Co25 to 17 of P, where `parse_formula` reads 83 times 100 atoms.
    Otherwise like `parse_formula`, including errors.
    """
    return _checked(formula, _read(formula, shares=True, deuterium=deuterium))


def with_plain_digits(formula: str, max_chars: int = MAX_CHARS) -> str:
    """Return a formula with subscripts as plain digits, after checking its length."""
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


def _read(formula: str, *, shares: bool, deuterium: bool) -> dict[str, float]:
    """Add up the elements of a formula; open brackets are kept on a stack."""
    stack = [_Group()]
    previous = ""
    for kind, text in _tokens(formula, deuterium):
        group = stack[-1]
        if kind == "symbol":
            group.add({"H" if text == "D" else text: 1.0})
        elif kind == "open":
            stack.append(_Group(text))
        elif kind == "close":
            if group.opened != _BRACKETS[text] or not group.terms:
                raise FormulaError(
                    f"formula {formula!r} cannot be read: a bracket is empty or closed by one of another kind"
                )
            stack.pop()
            stack[-1].add(_sum(group, shares))
        elif previous in ("symbol", "close"):
            group.factors[-1] = float(text)
        else:
            raise FormulaError(
                f"formula {formula!r} cannot be read: {text} does not follow an element or a bracket"
            )
        previous = kind
    if len(stack) > 1:
        raise FormulaError(f"formula {formula!r} cannot be read: bracket {stack[-1].opened!r} is not closed")
    return _sum(stack[0], shares=False)


def _sum(group: _Group, shares: bool) -> dict[str, float]:
    """Add up a group; if brackets are shares, normalize the total to 1."""
    amounts: dict[str, float] = {}
    for term, factor in zip(group.terms, group.factors, strict=True):
        for symbol, amount in term.items():
            amounts[symbol] = amounts.get(symbol, 0.0) + amount * factor
    whole = math.fsum(amounts.values())
    if not shares or not whole:
        return amounts
    return {symbol: amount / whole for symbol, amount in amounts.items()}


def misfit(formula: str, joints: str = "") -> str | None:
    """Describe the first character that does not belong in a formula, with advice; None if there is none.

    Parameters
    ----------
    formula
        Formula with plain digits.
    joints
        Characters that are allowed between the parts of a formula.
    """
    position = 0
    while position < len(formula):
        match = _TOKEN.match(formula, position)
        if match is None and formula[position] not in joints:
            return _misfit(formula, position)
        position = match.end() if match else position + 1
    return None


def _tokens(formula: str, deuterium: bool) -> list[Token]:
    """Split a formula into symbols, amounts and brackets."""
    plain = with_plain_digits(formula)
    problem = misfit(plain)
    if problem:
        raise FormulaError(f"formula {formula!r} has {problem}")
    tokens = [(match.lastgroup or "", match.group()) for match in _TOKEN.finditer(plain)]
    tokens = [(kind, text) for kind, text in tokens if kind != "space"]
    for (kind, text), (next_kind, next_text) in pairwise(tokens):
        if kind == next_kind == "amount":
            raise FormulaError(f"formula {formula!r} has two amounts in a row, {text} and {next_text}")
    symbols = [text for kind, text in tokens if kind == "symbol"]
    known = SYMBOLS | {"D"} if deuterium else SYMBOLS
    unknown = [symbol for symbol in symbols if symbol not in known]
    if unknown:
        raise FormulaError(f"formula {formula!r}: unknown element {unknown[0]!r}")
    if not symbols:
        raise FormulaError(f"formula {formula!r} names no element")
    return tokens


def _misfit(formula: str, position: int) -> str:
    character = formula[position]
    # Letters of other alphabets may look the same.
    name = "" if character.isascii() else f" ({unicodedata.name(character, 'unnamed')})"
    advice = _HINTS.get(character, _NAMES if character.islower() else "")
    hint = f": {advice}" if advice else ""
    return f"{character!r}{name} at position {position + 1}{hint}"
