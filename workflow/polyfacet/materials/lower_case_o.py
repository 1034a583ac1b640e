"""Formulas with a lower-case o for the capital O: ``Ca(Ho)2`` for Ca(OH)2, ``Na2Co3`` for Na2CO3.

Outside brackets, cobalt with the amount 3 is a carbonate where the other ions balance the charge of one.
Metals that form compounds or alloys MCo3 (rare earths, Mn, Fe, Ni, Cu) count only together with OH or F, so
that ``YCo3`` and ``FeCo3`` are accepted, but ``Cu2(OH)2Co3`` and ``LaCo3F`` are not.
"""

import math
import re
from collections.abc import Callable

from polyfacet.materials.adducts import TEXT_BETWEEN_DOTS
from polyfacet.materials.misprints import Misprint
from polyfacet.materials.whole_alloys import is_whole

# Ca(Ho)2, Ni(Co)4, Al2(Co3)3, Ca(HCo3)2, NaHCo3, Ca3(Po4)2, LiFePo4, KNo3; nobelium has no known solid.
_GROUP = re.compile(
    r"(?<=[A-Za-z0-9)\]])\((?:Ho|H?Co3|Po4|No[23])\)|(?<=[a-z])2?\(Co\)(?=[4-9]|1[0-9])|(?<=[a-zK]H)Co3$"
    r"|(?<=[A-Za-z0-9)])Po4$|(?<=[A-Za-z0-9)\]])No[23](?![0-9.])"
)
_CARBONATE_CHARGE = -2
# Metals without compounds MCo3.  CoCo3 would name cobalt twice.
_CHARGES = {
    **dict.fromkeys("H NH4 Li Na K Rb Cs Ag Tl".split(), 1),  # noqa: SIM905
    **dict.fromkeys("Mg Ca Sr Ba Zn Cd Pb Co".split(), 2),  # noqa: SIM905
    "H2O": 0,
}
_ANION_CHARGES = {"OH": -1, "F": -1}
_CHARGES_BESIDE_ANIONS = {
    **dict.fromkeys("Mn Fe Ni Cu".split(), 2),  # noqa: SIM905
    **dict.fromkeys("Al Y La Ce Pr Nd Sm Eu Gd Tb Dy Ho Er Tm Yb Lu".split(), 3),  # noqa: SIM905
}
_ALL_CHARGES = _CHARGES | _ANION_CHARGES | _CHARGES_BESIDE_ANIONS
_BARE = "|".join(sorted(_ALL_CHARGES.keys() - {"H2O"}, key=len, reverse=True))
# Water only in brackets, so that no text can be divided into ions in two ways: H2OH.
_ION = rf"(?:\((?:NH4|OH|H2O)\)|(?:{_BARE})(?![a-z]))(?:[0-9]+(?:\.[0-9]+)?)?"
_NAME_AND_AMOUNT = re.compile(r"\(?(NH4|OH|H2O|[A-Z][a-z]?)\)?(.*)")
# With its factor in an adduct: 3MgCo3·Mg(OH)2·3H2O.
_CARBONATE = re.compile(rf"(?P<before>[0-9.]*(?:{_ION})+)Co3(?P<behind>(?:{_ION})*)")
# Behind an amount with a decimal point, the brackets might belong to an adduct.
_BEFORE_WATER = re.compile(r"Co3\.0(?=\(H2O\))")
# A part of an adduct, and the full stop behind it.
_PART_WITH_DOT = re.compile(rf"(?P<part>{TEXT_BETWEEN_DOTS})(?P<dot>\s*\.)?")


def lower_case_o(text: str) -> Misprint | None:
    """Find groups of atoms with a lower-case o, in all parts of an adduct."""
    meant = _with_each_part(text, _with_oxygen)
    if meant == text:
        return None
    return Misprint("has a lower-case o for the capital O", (meant, _with_each_part(text, _as_metal)))


def _with_each_part(text: str, spell: Callable[[str], str]) -> str:
    """Respell the groups in the parts of an adduct; the full stop behind these is no decimal point."""

    def respelled(match: re.Match[str]) -> str:
        spelled = _respelled(match["part"], spell)
        return match.group() if spelled == match["part"] else spelled + ("·" if match["dot"] else "")

    return _PART_WITH_DOT.sub(respelled, text)


def _respelled(part: str, spell: Callable[[str], str]) -> str:
    if is_whole(part):
        return part
    carbonate = _CARBONATE.fullmatch(part)
    if not carbonate or not _is_balanced(carbonate["before"] + carbonate["behind"]):
        return _GROUP.sub(lambda group: spell(group.group()), part)
    spelled = carbonate["before"] + spell("Co3") + carbonate["behind"]
    return _BEFORE_WATER.sub("(Co3.0)", spelled)


def _is_balanced(ions: str) -> bool:
    """Return whether ions have the charge that one carbonate needs."""
    found = [_NAME_AND_AMOUNT.fullmatch(ion) for ion in re.findall(_ION, ions)]
    amounts = [(match[1], float(match[2] or 1)) for match in found if match]
    has_anions = any(name in _ANION_CHARGES for name, _ in amounts)
    charges = _ALL_CHARGES if has_anions else _CHARGES
    if any(name not in charges for name, _ in amounts):
        return False
    total = math.fsum(charges[name] * amount for name, amount in amounts)
    return math.isclose(total, -_CARBONATE_CHARGE)


def _with_oxygen(group: str) -> str:
    return re.sub("Ho", "OH", re.sub("([CPN])o", r"\1O", group))


def _as_metal(group: str) -> str:
    """Write an amount after the symbol, without brackets where the group needs none."""
    return re.sub(r"((?:Co|Po|No)[2-4])", r"\1.0", re.sub(r"(Ho|Co)\)", r"\g<1>1)", group))
