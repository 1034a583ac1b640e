"""Dots of the keyboard before a digit: of an adduct, ``CuSO4.5H2O``, or decimal points, ``Fe73.5CuNb3``."""

import math
import re
from dataclasses import dataclass
from typing import Self

from polyfacet.materials.formula import FormulaError, parse_formula

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
# An atom of a salt, hydrogen apart, has no more anions: SO4, PW12O40.  CaSO40 is rather CaSO4 and a 0.
_MOST_ANIONS_PER_ATOM = 4

# A gas or another element that nothing binds as a molecule; S8 and the halogens from Cl2 on are bound.
_ELEMENT = re.compile("(?:[HD]|B|C|N|O|F|Si|P|S(?!8$)|As|Se|Te)[0-9]*")
# Metals alone are no part of an adduct: NiO4.2Pr2 has its elements in alphabetical order.
_NO_METAL = re.compile("(?:H|D|He|B|C|N|O|F|Ne|Si|P|S|Cl|Ar|As|Se|Br|Kr|Te|I|Xe|At|Rn)(?![a-z])")
# A dot between a symbol or bracket with its amount, and digits that more of the formula follows.
JUNCTION = re.compile(
    r"(?P<last>[A-Z][a-z]?|[)\]}])[ \t]*(?P<amount>[0-9]*)(?P<gap>[ \t]*)\."
    r"(?P<factor>[0-9]+(?:\.[0-9]+)?)[ \t]*(?=[A-Z(\[{])"
)
_DEUTERIUM = re.compile("D(?![a-z])")
_DECIMAL = re.compile(r"\.[0-9]|[0-9]\.")
_SYMBOL = re.compile(r"[A-Z][a-z]?")
_SEVERAL_ATOMS = re.compile(r"[A-Z][a-z]?.*[A-Z]|.*[02-9]|.*1[0-9]", re.DOTALL)
_LAST_SYMBOL = re.compile("[A-Z][a-z]?$")


@dataclass(frozen=True)
class Junction:
    """A dot of the keyboard that may join the parts of an adduct or be a decimal point.

    Parameters
    ----------
    main
        The formula up to the dot.
    last
        Symbol or closing bracket at its end.
    amount
        Digits between that and the dot.
    gap
        White space in front of the dot.
    factor
        The number behind the dot.
    tail
        What follows that number.
    """

    main: str
    last: str
    amount: str
    gap: str
    factor: str
    tail: str

    @classmethod
    def of(cls, match: re.Match[str], end: int) -> Self:
        """Describe a match of `JUNCTION`, in a formula that ends where the next part of an adduct begins."""
        main, tail = match.string[: match.end("amount")], match.string[match.end() : end]
        return cls(main.rstrip(), tail=tail.rstrip(), **match.groupdict())

    @property
    def is_below_two(self) -> bool:
        """Whether it follows 0 or 1: nobody writes Fe0 or Fe1, so that this is Fe0.5 or Fe1.5."""
        return self.amount != "" and int(self.amount) <= 1

    @property
    def molecule(self) -> str:
        """What follows the factor, without brackets around all of it."""
        inner = _DEUTERIUM.sub("H", re.sub(r"\s", "", self.tail))
        if inner[:1] in "([{" and inner[-1:] in ")]}" and is_balanced(inner[1:-1]):
            return inner[1:-1]
        return inner

    @property
    def without_amount(self) -> str:
        """The formula up to the amount in front of the dot."""
        return self.main.removesuffix(self.amount).rstrip()

    @property
    def joins_a_compound(self) -> bool:
        """Whether the formula up to the dot may be that of a salt, an oxide or the like."""
        return self._is_of_a_compound and (self.amount == "" or self._ends_in_an_anion)

    @property
    def _is_of_a_compound(self) -> bool:
        """The same, whatever the digits in front of the dot are."""
        symbols = set(_SYMBOL.findall(self.main))
        # CH3COONa, (CH3COO)2Zn: a metal behind the group that it belongs to.
        is_organic = {"C", "O"} <= symbols
        return is_balanced(self.main) and len(symbols) > 1 and (self._ends_in_an_anion or is_organic)

    @property
    def _ends_in_an_anion(self) -> bool:
        return _SYMBOL.findall(self.main)[-1] in _ANIONS

    @property
    def is_solvate(self) -> bool:
        """Whether it is certainly that of a hydrate or its like, or a factor such as 0.5 follows."""
        if not self.joins_a_compound or re.match(r"0[0-9]|0$", self.factor):
            return False
        return self._is_solvent or self.factor.startswith("0.")

    @property
    def _is_solvent(self) -> bool:
        """Whether a molecule follows with which salts crystallise, and not too many of it."""
        is_large = self.amount != "" and int(self.amount) >= 10
        largest = _LARGEST_BEHIND_AMOUNTS_OF_TEN if is_large else _LARGEST_FACTOR
        return self.molecule in _SOLVENTS and float(self.factor) <= largest

    @property
    def _is_molecule(self) -> bool:
        return self.molecule in _SOLVENTS or self.molecule in _OTHER_MOLECULES

    @property
    def is_decimal_point(self) -> bool:
        """Whether it is certainly a decimal point."""
        if self.is_below_two:
            return True
        if self._is_molecule:
            return False
        if re.match(r"0[0-9]", self.factor) or _DECIMAL.search(self.tail) or not is_balanced(self.tail):
            return True
        if self.last in _SYMBOL.findall(self.tail):
            return False
        if _ELEMENT.fullmatch(self.tail) or not _NO_METAL.search(self.tail):
            return True
        is_compound = self.joins_a_compound and not _DECIMAL.search(self.main)
        return not (is_compound and _SEVERAL_ATOMS.match(self.tail))

    @property
    def may_lack_a_dot(self) -> bool:
        """Whether the digits in front of it may be those of the factor, in part at least: NaCl0.5H2O."""
        if not self._is_of_a_compound:
            return False
        if self.is_below_two:
            # FeO1.0.5H2O has both dots, and FeO1.0 with one H2O is FeO with 1.0 H2O.
            is_clear = self.amount == "1" and ("." in self.factor or int(self.factor) == 0)
            return self._is_molecule and not is_clear
        repeats_an_anion = self.last in _SYMBOL.findall(self.tail) and not _DECIMAL.search(self.tail)
        return self.has_too_large_an_amount and (self._is_molecule or repeats_an_anion)

    @property
    def has_too_large_an_amount(self) -> bool:
        """Whether no salt has that much of what it ends in."""
        return self._is_of_a_compound and len(self.amount) > 1 and int(self.amount) > self._largest_amount

    @property
    def _largest_amount(self) -> float:
        """How much the formula may have of what it ends in; without limit where it cannot be read."""
        others, _, _ = self.without_amount.rpartition(_last_group(self.without_amount))
        try:
            atoms = parse_formula(others.lstrip("0123456789."), deuterium=True)
        except FormulaError:
            # Nothing else is in front, or what cannot be read anyway.
            return math.inf if others else 0
        return _MOST_ANIONS_PER_ATOM * math.fsum(n for symbol, n in atoms.items() if symbol != "H")

    def spellings(self, tail: str) -> tuple[str, ...]:
        """Spell the formula as all it may mean, each spelling to be read in one way only.

        Parameters
        ----------
        tail
            What follows the factor, with the dots of an adduct in it spelled as such.
        """
        whole, point, decimals = self.factor.partition(".")
        found = []
        if not point and (self.is_below_two or self.has_too_large_an_amount):
            amount, digits = self._divided_amount()
            found.append(f"{self.without_amount}{amount}·{digits}.{whole}{tail}")
        if float(self.factor) > 0 and self.amount != "0":
            found.append(f"{self.main}·{self.factor if point else whole.lstrip('0')}{tail}")
        decimal = f"{self.main}.{whole}"
        found.append(f"{decimal}·{decimals}{tail}" if point else f"({decimal}){tail}")
        return tuple(found)

    def _divided_amount(self) -> tuple[str, str]:
        """Divide the digits in front of the dot among amount and factor: 4 and 0 of CaSO40.5H2O."""
        for n_digits in (1, 2):
            amount, digits = self.amount[:-n_digits], self.amount[-n_digits:]
            if amount not in ("0", "1") and self._may_be(amount) and digits != f"0{digits[-1]}":
                return amount, digits
        return "", self.amount

    def _may_be(self, amount: str) -> bool:
        return len(amount) < 2 or int(amount) <= self._largest_amount


def has_decimals(text: str) -> bool:
    """Whether amounts of a formula, without its factor, are decimals."""
    return _DECIMAL.search(text.lstrip("0123456789.")) is not None


def is_balanced(text: str) -> bool:
    """Whether all brackets that are opened are closed, and the other way round."""
    depth = 0
    for character in text:
        depth += (character in "([{") - (character in ")]}")
        if depth < 0:
            return False
    return depth == 0


def _last_group(formula: str) -> str:
    """Return the symbol or the bracket at the end of a balanced formula without an amount behind it."""
    symbol = _LAST_SYMBOL.search(formula)
    if symbol:
        return symbol.group()
    groups = (formula[start:] for start in range(len(formula) - 1, -1, -1) if formula[start] in "([{")
    return next(filter(is_balanced, groups))
