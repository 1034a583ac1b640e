"""Formulas of adducts, hydrates above all: ``CuSO4·5H2O`` is one CuSO4 with five H2O.

The dot of a keyboard is a decimal point as well.  With a letter or a bracket behind it, it is that of an
adduct; with a digit behind it, only where the factor and water, ammonia or an organic solvent follow a
compound, as in ``CuSO4.5H2O``.  Where anything else may be an adduct as well as a decimal amount
(``BaO.6Fe2O3``, ``Zr5.5HF``, ``UO2.25H2O``), the formula is refused with both readings.
"""

import re
from dataclasses import dataclass

from polyfacet.materials.formula import AMOUNT

# Dots, bullets, asterisks, multiplication signs: in a formula they can be nothing but the dot of an adduct.
SEPARATORS = "·\u0387•‧∙⋅⸱・･ꞏ●∗×⨯*"  # noqa: RUF001 - as they occur in tables
# What a salt crystallises with: water, ammonia, organic solvents.
_SOLVENTS = frozenset(
    """
    H2O OH2 NH3 CH3OH CH4O C2H5OH CH3CH2OH C2H6O C3H7OH C3H8O C4H9OH C4H10O (CH3)2O (C2H5)2O C4H8O C4H8O2
    C3H6O (CH3)2CO CH3CN C2H3N C3H7NO HCON(CH3)2 (CH3)2SO C2H6OS C2H6SO C5H5N C6H6 C7H8 C6H5CH3 C8H10 C6H5Cl
    C6H5CN C7H5N CH2Cl2 CHCl3 CCl4 C2H4Cl2 C5H12 C6H12 C6H14 C7H16 HCOOH CH2O2 CH3COOH C2H4O2 C2H6O2 C3H8O2
    C3H8O3 C2H8N2 CO(NH2)2 CH4N2O C4H9NO C5H9NO C4H9N C10H8N2 C12H8N2 CH5N CH3NH2
    """.split()  # noqa: SIM905 - a list would take 120 quotes
)
# Other molecules that salts bind; alloys with decimal amounts end alike.
_OTHER_MOLECULES = frozenset(
    "H2O2 N2H4 HF HCl HBr HI HNO3 H2SO4 H3PO4 HClO4 HCN H2S CO CO2 SO2 SO3".split()  # noqa: SIM905
)
# More water than that is rather a decimal, UO2.25H2O, but nobody writes H4SiW12O40.26 for an amount.
_LARGEST_FACTOR = 24
_LARGEST_BEHIND_AMOUNTS_OF_TEN = 99
# Elements that the formula of a salt ends in.
_ANIONS = frozenset(["H", "D", "N", "O", "F", "S", "Cl", "Se", "Br", "I"])

# A gas or another element that nothing binds as a molecule; S8 and the halogens from Cl2 on are bound.
_ELEMENT = re.compile("(?:[HD]|B|C|N|O|F|Si|P|S(?!8$)|As|Se|Te)[0-9]*")
# Metals alone are no part of an adduct: NiO4.2Pr2 has its elements in alphabetical order.
_NO_METAL = re.compile("(?:H|D|He|B|C|N|O|F|Ne|Si|P|S|Cl|Ar|As|Se|Br|Kr|Te|I|Xe|At|Rn)(?![a-z])")
# Letter or bracket on the right: no decimal point.  A digit after a space: neither.
_DOT = re.compile(rf"\s*[{re.escape(SEPARATORS)}]\s*|\s*\.\s*(?=[A-Z(\[{{])|\s*\.\s+(?=[0-9.])")
_SEPARATOR = re.compile(f"[{re.escape(SEPARATORS)}]")
_FACTOR = re.compile(rf"\s*(?P<factor>{AMOUNT})?\s*(?P<part>.*?)\s*", re.DOTALL)
# A keyboard dot between a symbol or bracket with its amount, and digits that more of the formula follows.
_JUNCTION = re.compile(
    r"(?P<last>[A-Z][a-z]?|[)\]}])[ \t]*(?P<amount>[0-9]*)(?P<gap>[ \t]*)\."
    r"(?P<factor>[0-9]+(?:\.[0-9]+)?)[ \t]*(?=[A-Z(\[{])"
)
_DEUTERIUM = re.compile("D(?![a-z])")
_DECIMAL = re.compile(r"\.[0-9]|[0-9]\.")
_SYMBOL = re.compile(r"[A-Z][a-z]?")
_SEVERAL_ATOMS = re.compile(r"[A-Z][a-z]?.*[A-Z]|.*[02-9]|.*1[0-9]", re.DOTALL)


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


@dataclass(frozen=True)
class _Junction:
    """A keyboard dot that may join the parts of an adduct or be a decimal point."""

    main: str
    last: str
    amount: str
    gap: str
    factor: str
    tail: str

    @property
    def is_below_two(self) -> bool:
        """Whether it follows 0 or 1: nobody writes Fe0 or Fe1, so that this is Fe0.5 or Fe1.5."""
        return self.amount != "" and int(self.amount) <= 1

    @property
    def molecule(self) -> str:
        """What follows the factor, without brackets around all of it."""
        inner = _DEUTERIUM.sub("H", re.sub(r"\s", "", self.tail))
        if inner[:1] in "([{" and inner[-1:] in ")]}" and _is_balanced(inner[1:-1]):
            return inner[1:-1]
        return inner

    @property
    def joins_a_compound(self) -> bool:
        """Whether the formula up to the dot may be that of a salt, an oxide or the like."""
        symbols = _SYMBOL.findall(self.main)
        # CH3COONa, (CH3COO)2Zn: a metal behind the group that it belongs to.
        is_organic = self.amount == "" and {"C", "O"} <= set(symbols)
        return _is_balanced(self.main) and len(set(symbols)) > 1 and (symbols[-1] in _ANIONS or is_organic)

    @property
    def is_solvate(self) -> bool:
        """Whether it is certainly that of a hydrate or its like, or a factor such as 0.5 follows."""
        if not self.joins_a_compound or re.match(r"0[0-9]", self.factor):
            return False
        return self._is_solvent or self.factor.startswith("0.")

    @property
    def _is_solvent(self) -> bool:
        """Whether a molecule follows with which salts crystallise, and not too many of it."""
        is_large = self.amount != "" and int(self.amount) >= 10
        largest = _LARGEST_BEHIND_AMOUNTS_OF_TEN if is_large else _LARGEST_FACTOR
        return self.molecule in _SOLVENTS and float(self.factor) <= largest

    @property
    def is_decimal_point(self) -> bool:
        """Whether it is certainly a decimal point."""
        if self.is_below_two:
            return True
        if self.molecule in _SOLVENTS or self.molecule in _OTHER_MOLECULES:
            return False
        if re.match(r"0[0-9]", self.factor) or _DECIMAL.search(self.tail) or not _is_balanced(self.tail):
            return True
        if self.last in _SYMBOL.findall(self.tail):
            return False
        if _ELEMENT.fullmatch(self.tail) or not _NO_METAL.search(self.tail):
            return True
        is_compound = self.joins_a_compound and not _DECIMAL.search(self.main)
        return not (is_compound and _SEVERAL_ATOMS.match(self.tail))


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
    at_dots = _DOT.split(formula)
    # Factors at the very start, and other dots of the keyboard that are no decimal points: 6CaO.Al2O3.3SiO2.
    is_adduct = formula[:1].isdigit() if len(at_dots) == 1 else not _SEPARATOR.search(formula)
    parts = [piece for part in at_dots for piece in _at_keyboard_dots(part, is_adduct=is_adduct)]
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


def _at_keyboard_dots(text: str, *, is_adduct: bool) -> list[str]:
    """Split what holds no other dot, from right to left; what can only be an adduct is not ambiguous."""
    solvates: list[_Junction] = []
    rest = text
    for match in reversed(list(_JUNCTION.finditer(text))):
        main = text[: match.end("amount")].rstrip()
        junction = _Junction(main, tail=rest[match.end() :].rstrip(), **match.groupdict())
        if junction.gap and not junction.is_below_two:
            behind = rest[match.end("gap") :]
            raise _in_two_ways(f"{main}·{behind[1:]}", f"{main}·0{behind}")
        joins = is_adduct and junction.joins_a_compound and not junction.is_decimal_point
        if junction.is_solvate or joins:
            solvates.insert(0, junction)
            rest = main
        elif not junction.is_decimal_point:
            raise _both(junction, solvates)
    if solvates and _DECIMAL.search(rest.lstrip("0123456789.")):
        raise _both(solvates[0], solvates[1:])
    return [rest, *(f"{each.factor}{each.tail}" for each in solvates)]


def _both(junction: _Junction, solvates: list[_Junction]) -> AdductError:
    """Spell a formula with a dot of an adduct and with a decimal point."""
    tail = "·".join([junction.tail, *(f"{each.factor}{each.tail}" for each in solvates)])
    main, factor = junction.main, junction.factor
    whole, dot, decimals = factor.partition(".")
    decimal = f"{main}.{whole}·{decimals}{tail}" if dot else f"({main}.{whole}){tail}"
    return _in_two_ways(f"{main}·{factor if dot else factor.lstrip('0')}{tail}", decimal)


def _in_two_ways(first: str, second: str) -> AdductError:
    return AdductError("can be read in two ways", (first, second))


def _is_balanced(text: str) -> bool:
    """Whether all brackets that are opened are closed, and the other way round."""
    depth = 0
    for character in text:
        depth += (character in "([{") - (character in ")]}")
        if depth < 0:
            return False
    return depth == 0
