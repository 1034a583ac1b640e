"""Read formulas as people type them into tables: hydrates are accepted, ambiguous formulas are rejected."""

import math
import re
from decimal import Decimal

from polyfacet.config.tables import Brackets
from polyfacet.materials.adducts import SEPARATORS, AdductError, adduct_parts, split_adducts
from polyfacet.materials.formula import (
    MAX_AMOUNT,
    FormulaError,
    misfit,
    parse_alloy,
    parse_formula,
    with_plain_digits,
)
from polyfacet.materials.misprints import Misprint
from polyfacet.materials.misreadings import misreading

# Far above any formula; each dot is compared with everything around it.
MAX_STATED_CHARS = 1_000
# How far the sum of the amounts of a complete alloy may be from 100 or 1, relative.
_WHOLE_WITHIN = 1e-3
_INNERMOST = re.compile(r"[(\[{][^()\[\]{}]*[)\]}]")
# The multiplication sign before a factor, as on labels: CoCl2 x 6 H2O.
_TIMES = re.compile(
    r"(?<=[A-Za-z0-9)\]}]) [xX] ?(?=[0-9.]+ ?[A-Z(\[{])|(?<=[0-9)\]}])[xX](?=[0-9.]+ ?[A-Z(\[{])"
)
# An amount with an exponent, as programs write small ones: no symbol begins with a lower-case e.
_EXPONENT = re.compile(r"(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:e[+-]?|E[+-])[0-9]{1,3}(?![0-9])")
# Elements of molecules: brackets that contain one of these are groups of atoms.
_IN_MOLECULES = frozenset("D H N O F S Cl Se Br Te I".split())  # noqa: SIM905


class _MisprintError(Exception):
    """A formula that probably means something else, or that is ambiguous."""

    def __init__(self, misprint: Misprint) -> None:
        super().__init__(misprint.problem)
        self.misprint = misprint


def parse_stated_formula(formula: str, brackets: Brackets = "atoms") -> dict[str, float]:
    """Read a formula as stated in a table.

    Parameters
    ----------
    formula
        As in `polyfacet.materials.formula.parse_formula`, or a hydrate or another adduct, ``CuSO4·5H2O`` (see
        `polyfacet.materials.adducts.split_adducts`).  D is deuterium, which counts as hydrogen; T is
        rejected, because it usually means something else.
    brackets
        Whether brackets are groups of atoms or, as in `polyfacet.materials.formula.parse_alloy`, sub-alloys;
        an alloy cannot be a hydrate.

    Returns
    -------
    dict
        Symbol to amount, ordered by first mention.

    Raises
    ------
    FormulaError
        If it does not name a composition, is ambiguous or probably means something else (see
        `polyfacet.materials.misreadings`).
    """
    try:
        return _amounts(formula, brackets)
    except _MisprintError as error:
        problem, spellings = error.misprint.problem, error.misprint.spellings
    readable = dict.fromkeys(filter(None, (_to_be_read(each, brackets) for each in spellings)))
    advice = f". Write {' or '.join(map(repr, readable))}" if readable else ""
    raise FormulaError(f"formula {formula!r} {problem}{advice}")


def _to_be_read(spelling: str, brackets: Brackets) -> str | None:
    """Correct what else is odd about an advised spelling, and write the dots of an adduct as such.

    None if it cannot be read at all.
    """
    # One text may hold several misprints.
    for _ in range(len(spelling)):
        try:
            _amounts(spelling, brackets)
        except _MisprintError as error:
            spelling = next(iter(error.misprint.spellings), "")
        except FormulaError:
            return None
        else:
            return "·".join(part.strip() for part in adduct_parts(_plain(spelling)))
    return None


def _plain(formula: str) -> str:
    """Write digits, dots and spaces in one way."""
    plain = " ".join(with_plain_digits(formula, MAX_STATED_CHARS).split()).removesuffix(".")
    return _EXPONENT.sub(_without_exponent, _TIMES.sub("·", plain))


def _amounts(formula: str, brackets: Brackets) -> dict[str, float]:
    plain = _plain(formula)
    problem = misfit(plain, joints=f"{SEPARATORS}.")
    if problem:
        raise FormulaError(f"formula {formula!r} has {problem}")
    meant = misreading(plain)
    if meant:
        raise _MisprintError(meant)
    try:
        parts = split_adducts(plain)
    except AdductError as error:
        if error.spellings:
            raise _MisprintError(Misprint(error.problem, error.spellings)) from error
        raise FormulaError(f"formula {formula!r} {error}") from error
    if len(parts) == 1:
        return parse_alloy(plain, deuterium=True) if brackets == "shares" else _with_groups(plain)
    if brackets == "shares":
        raise FormulaError(
            f"formula {formula!r} has the dot of a hydrate, but is read as an alloy (`brackets: shares`)"
        )
    return _sum(formula, parts)


def _without_exponent(amount: re.Match[str]) -> str:
    return f"{Decimal(amount[0]):f}"


def _sum(formula: str, parts: list[tuple[float, str]]) -> dict[str, float]:
    """Add up the parts of an adduct."""
    total: dict[str, float] = {}
    for factor, part in parts:
        try:
            amounts = parse_formula(part, deuterium=True)
        except FormulaError as error:
            raise FormulaError(f"formula {formula!r}, part: {error}") from error
        for symbol, amount in amounts.items():
            total[symbol] = total.get(symbol, 0.0) + factor * amount
    if max(total.values()) > MAX_AMOUNT:
        raise FormulaError(f"formula {formula!r}: an amount is above {MAX_AMOUNT:g}")
    return total


def _with_groups(formula: str) -> dict[str, float]:
    """Read a formula whose brackets are groups of atoms; reject it if the numbers after them are shares."""
    atoms = parse_formula(formula, deuterium=True)
    inside = "".join(_INNERMOST.findall(formula))
    if not inside or _IN_MOLECULES & set(re.findall("[A-Z][a-z]?", inside)):
        return atoms
    shares = parse_alloy(formula, deuterium=True)
    whole, total = (math.fsum(amounts.values()) for amounts in (shares, atoms))
    is_whole = any(math.isclose(whole, expected, rel_tol=_WHOLE_WITHIN) for expected in (1, 100))
    if is_whole and not math.isclose(total, whole, rel_tol=_WHOLE_WITHIN):
        raise FormulaError(
            f"formula {formula!r} has brackets whose numbers are shares of an alloy: set "
            "`composition.brackets: shares`, or write it without brackets"
        )
    return atoms
