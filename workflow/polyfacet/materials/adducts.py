"""Formulas of adducts, hydrates above all: ``CuSO4·5H2O`` is one CuSO4 with five H2O.

The dot of a keyboard is a decimal point as well.  With a letter or a bracket behind it, it is that of an
adduct; with a digit behind it, only where the factor and water, ammonia or an organic solvent follow a
compound, as in ``CuSO4.5H2O``.  Where anything else may be an adduct as well as a decimal amount
(``BaO.6Fe2O3``, ``Zr5.5HF``, ``UO2.25H2O``, ``CuSO4.5·H2O``), the formula is refused with both readings.
"""

import re

from polyfacet.materials.formula import AMOUNT
from polyfacet.materials.keyboard_dots import JUNCTION, Junction, has_decimals

# Dots, bullets, asterisks, multiplication signs: in a formula they can be nothing but the dot of an adduct.
SEPARATORS = "·\u0387•‧∙⋅⸱・･ꞏ●∗×⨯*"  # noqa: RUF001 - as they occur in tables
# Letter or bracket on the right: no decimal point.  A digit after a space: neither.
_DOT = re.compile(rf"\s*[{re.escape(SEPARATORS)}]\s*|\s*\.\s*(?=[A-Z(\[{{])|\s*\.\s+(?=[0-9.])")
# A pattern for misprints, which are found before the dots are read: a full stop before a letter, a bracket
# or some water is a dot as well.
TEXT_BETWEEN_DOTS = rf"(?:[^{re.escape(SEPARATORS)}\s.]|\.(?![A-Z(])(?![0-9]+\(?[HD]2O))+"
_SEPARATOR = re.compile(f"[{re.escape(SEPARATORS)}]")
_FACTOR = re.compile(rf"\s*(?P<factor>{AMOUNT})?\s*(?P<part>.*?)\s*", re.DOTALL)


class AdductError(ValueError):
    """A formula whose dots can be read in two ways, or that lacks a part.

    Parameters
    ----------
    problem
        What is wrong.
    spellings
        Its readings, each spelled so that it can be read in one way only.
    """

    def __init__(self, problem: str, spellings: tuple[str, ...] = ()) -> None:
        super().__init__(problem)
        self.problem = problem
        self.spellings = spellings


def split_adducts(formula: str) -> list[tuple[float, str]]:
    """Split a formula at the dots of an adduct.

    Parameters
    ----------
    formula
        ``CuSO4·5H2O``, also with a bullet, an asterisk or a multiplication sign; ``CuSO4.5H2O``;
        ``MgO.Al2O3``.
        Numbers in front of a part are its factor (``3CaO·Al2O3``, ``CaSO4·0.5H2O``).

    Returns
    -------
    list of tuple of float and str
        Factor and formula of each part; a formula that is no adduct is one part, unchanged.

    Raises
    ------
    AdductError
        If a dot may be a decimal point as well, or a part is empty.
    """
    parts = adduct_parts(formula)
    if len(parts) == 1:
        return [(1.0, formula)]
    found = []
    for part in parts:
        match = _FACTOR.fullmatch(part)
        if match is None or not match["part"]:
            raise AdductError("has a dot of a hydrate with nothing on one side")
        factor = float(match["factor"] or 1)
        if factor == 0:
            raise AdductError(f"has none of {match['part']}: take it out")
        found.append((factor, match["part"]))
    return found


def adduct_parts(formula: str) -> list[str]:
    """Split a formula at the dots of an adduct like `split_adducts`, but leave the factors in the parts."""
    at_dots = _DOT.split(formula)
    # Factors at the very start, and other dots of the keyboard that are no decimal points: 6CaO.Al2O3.3SiO2.
    is_adduct = formula[:1].isdigit() if len(at_dots) == 1 else not _SEPARATOR.search(formula)
    parts = []
    for n, part in enumerate(at_dots):
        _check_end(at_dots, n)
        try:
            parts += _at_keyboard_dots(part, is_adduct=is_adduct)
        except AdductError as error:
            whole = ("·".join([*at_dots[:n], each, *at_dots[n + 1 :]]) for each in error.spellings)
            raise AdductError(error.problem, tuple(whole)) from error
    return parts


def _check_end(at_dots: list[str], n: int) -> None:
    """Refuse a part that ends in what may be the factor of the next part, CuSO4.5·H2O."""
    part, following = at_dots[n], "".join(at_dots[n + 1 : n + 2])
    joined = part + following
    at_end = (match for match in JUNCTION.finditer(joined) if match.end() == len(part))
    for match in at_end:
        junction = Junction.of(match, end=len(joined))
        if junction.is_solvate and not (junction.is_below_two or has_decimals(junction.main)):
            error = _ambiguous(junction, [])
            whole = ("·".join([*at_dots[:n], each, *at_dots[n + 2 :]]) for each in error.spellings)
            raise AdductError(error.problem, tuple(whole))


def _at_keyboard_dots(text: str, *, is_adduct: bool) -> list[str]:
    """Split what holds no other dot, from right to left; what can only be an adduct is not ambiguous."""
    solvates: list[Junction] = []
    rest = text
    for match in reversed(list(JUNCTION.finditer(text))):
        junction = Junction.of(match, end=len(rest))
        if junction.gap and not junction.is_below_two:
            factor = f"{junction.factor}{junction.tail}"
            raise AdductError(_in_ways(2), (f"{junction.main}·{factor}", f"{junction.main}·0.{factor}"))
        if junction.may_lack_a_dot:
            raise _ambiguous(junction, solvates)
        joins = is_adduct and junction.joins_a_compound and not junction.is_decimal_point
        if junction.is_solvate or joins:
            solvates.insert(0, junction)
            rest = junction.main
        elif not junction.is_decimal_point:
            raise _ambiguous(junction, solvates)
    if solvates and has_decimals(rest):
        raise _ambiguous(solvates[0], solvates[1:])
    return [rest, *(f"{each.factor}{each.tail}" for each in solvates)]


def _ambiguous(junction: Junction, solvates: list[Junction]) -> AdductError:
    """Refuse a formula with all it may mean."""
    tail = "·".join([junction.tail, *(f"{each.factor}{each.tail}" for each in solvates)])
    spellings = junction.spellings(tail)
    if junction.has_too_large_an_amount:
        return AdductError("may have lost the dot of a hydrate or another adduct", spellings)
    return AdductError(_in_ways(len(spellings)), spellings)


def _in_ways(number: int) -> str:
    return f"can be read in {'three' if number > 2 else 'two'} ways"
