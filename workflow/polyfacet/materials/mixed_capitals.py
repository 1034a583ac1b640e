"""Formulas in which a symbol is written as two capitals: ``NiCO2O4`` for NiCo2O4.

Two capitals are accepted where such compounds are known: carbonates (``NiCO3``), oxycarbides (``Ti2CO2``),
carbonyls (``FeCO``), nitride iodides (``ZrNI``), thioiodides (``BiSI``), and anything with H or more C.
"""

import re
from collections.abc import Callable

from polyfacet.elements.symbols import SYMBOLS
from polyfacet.materials.adducts import TEXT_BETWEEN_DOTS
from polyfacet.materials.misprints import Misprint
from polyfacet.materials.whole_alloys import is_whole

_NOT_METALS = frozenset(
    "H He B C N O F Ne P S Cl Ar K U Se Br Kr I Xe At Rn Og".split()  # noqa: SIM905
)
_METAL = "(?:" + "|".join(sorted(SYMBOLS - _NOT_METALS, key=len, reverse=True)) + ")(?![a-z])"
_RARE_EARTH = "(?:Sc|Y|La|Ce|Pr|Nd|Pm|Sm|Eu|Gd|Tb|Dy|Ho|Er|Tm|Yb|Lu|Th)"
_CHALCOGEN = "(?:O|S|Se|Te)(?![a-z])"
_HALOGEN = "(?:F|Cl|Br|I)(?![a-z])"
# What follows two capitals that are probably one symbol; an empty pattern accepts anything.
_BEHIND = {
    # The amount in carbonates is 3: YBa2(CO3) is one, but COO2 and CO2O4 are not.
    "CO": rf"(?!3(?![0-9.]))[0-9.]*{_METAL}|O[0-9]|(?!3(?![0-9.]))[0-9.]+O|3O4",
    "CU": "",
    "CD": rf"(?!3)[0-9.]*(?:{_METAL}|Se(?![a-z]))|(?:Cl|Br)2",
    "CS": rf"[0-9.]*{_METAL}|(?:Cl|Br)(?![a-z0-9])",
    "NI": rf"[0-9.]*(?:{_METAL}|O)",
    "NB": "",
    "ND": rf"(?![34])[0-9.]*{_METAL}",
    "PB": rf"[0-9.]*(?:{_METAL}|{_CHALCOGEN}|{_HALOGEN})",
    "PD": rf"(?!4)[0-9.]*(?:{_METAL}|(?:Cl|Br|Se)(?![a-z]))",
    "SN": r"O[0-9]|S[0-9]*(?![a-z])|Se|Te",
    "SB": rf"[0-9.]*(?:{_METAL}|{_CHALCOGEN}|{_HALOGEN})",
    "SC": rf"[0-9.]*{_METAL}",
    "BI": rf"[0-9.]*(?:{_METAL}|{_CHALCOGEN})",
    "IN": rf"{_METAL}|[0-9.]*(?:P|As|Sb|S|Se|Te)(?![a-z])",
}
_PAIR = re.compile(f"(?:{'|'.join([*_BEHIND, 'SI'])})(?![a-z])")
# Cases that depend on what precedes them: silicates, antimonides (Zr2SB is a sulfide boride), intermetallics
# of rare earths, alloys of equal parts.
_IN_FRONT = (
    re.compile(r"(?:Mg|Al|Be|Ca|Zr|Hf|Zn|Mn|Fe|Ni|Co|Li|Na)[0-9.]*SI(?=[0-9.]*O)"),
    re.compile(
        r"(?:Al|Ga|In|Tl|Mg|Ca|Zn|Cd|Bi|Li|Na|K|Rb|Cs|Mn|Fe|Co|Ni|Cu|Pd|Ag|Ir|Pt|Au)[0-9.]*SB(?=[0-9.]*$)"
    ),
    re.compile(rf"{_RARE_EARTH}(?:CO(?=(?:2|5|13)$)|NI(?=5$))|{_RARE_EARTH}2(?:CO|NI)(?=(?:7|17)$)"),
    re.compile(r"^(?:(?:Al|Ti|Mo)[0-9.]*)*(?:(?:Cr|Mn|Fe|Ni|Cu)[0-9.]*){2,}CO(?=$)"),
)
_PART = re.compile(TEXT_BETWEEN_DOTS)
_SYMBOL = re.compile("[A-Z][a-z]?")
# An oxygen-terminated carbide of two layers, followed by lithium: Ti2CO2Li2.
_MXENE = re.compile("(?:Sc|Y|Ti|Zr|Hf|V|Nb|Ta|Cr|Mo|W)2CO$")


def partly_in_capitals(text: str) -> Misprint | None:
    """Find symbols of a formula written as two capitals."""
    for part in _PART.finditer(text):
        found = _in_part(part.group())
        if found:
            before, behind = text[: part.start()], text[part.end() :]
            return Misprint(found.problem, tuple(f"{before}{each}{behind}" for each in found.spellings))
    return None


def _in_part(stated: str) -> Misprint | None:
    pairs = [pair for pair in _PAIR.finditer(stated) if _is_one_symbol(stated, pair)]
    if pairs and stated != stated.upper():
        spellings = (_respelled(stated, pairs, str.capitalize), _respelled(stated, pairs, "1".join))
        return Misprint("has a symbol in capitals that reads as two symbols", spellings)
    return None


def _is_one_symbol(stated: str, pair: re.Match[str]) -> bool:
    start, end = pair.span()
    others = _SYMBOL.findall(f"{stated[:start]} {stated[end:]}")
    if {"H", "C"} & {*others} or _MXENE.search(stated[:end]):
        return False
    behind = _BEHIND.get(pair.group())
    if behind is not None and re.match(behind, stated[end:]):
        return True
    if any(found.end() == end for pattern in _IN_FRONT for found in pattern.finditer(stated)):
        return True
    return is_whole(_respelled(stated, [pair], str.capitalize)) and not is_whole(stated)


def _respelled(text: str, pairs: list[re.Match[str]], spell: Callable[[str], str]) -> str:
    for pair in reversed(pairs):
        text = text[: pair.start()] + spell(pair.group()) + text[pair.end() :]
    return text
