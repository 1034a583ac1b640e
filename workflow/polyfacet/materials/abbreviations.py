"""Abbreviations of organic groups that are also element symbols: acetate, propyl, amyl, neopentyl."""

import re

from polyfacet.materials.adducts import SEPARATORS
from polyfacet.materials.misprints import Misprint

_WRITTEN_OUT = {
    "OAc": "CH3COO",
    "AcO": "CH3COO",
    "Ac": "CH3COO",
    "AcAc": "C5H7O2",
    "OPr": "OC3H7",
    "PrO": "OC3H7",
    "OAm": "OC5H11",
    "ONp": "OC5H11",
    "OTs": "OC7H7SO2",
    "PrNH": "C3H7NH",
    "Pr4N": "(C3H7)4N",
}
_DOTS = re.escape(f"{SEPARATORS}.")
# OPr after a halogen is part of an oxyhalide in alphabetical order; Ac at the beginning is the element.
_GROUP = re.compile(
    r"(?P<open>\()?(?:"
    r"(?<![FI])(?<!Cl)(?<!Br)(?<!^)(?P<oxygen>O(?:Ac|Pr|Am|Np|Ts))(?![A-Za-z])"
    r"|(?P<ligand>AcAc)"
    r"|(?<=\()(?P<bracket>Ac)(?=\))"
    r"|(?:(?<=NH4)|(?<=^H))(?P<salt>Ac)(?=$)"
    r"|^(?P<acid>(?:Ac|Pr)O)(?=H$)"
    r"|(?P<amine>PrNH(?=[23])|Pr4N(?=F|Cl|Br|I|OH|\)))"
    rf"|(?<=[A-Za-z0-9)\]])(?P<hydrate>Ac)(?=[0-9]?\s*[{_DOTS}]\s*[0-9.]*\s*\(?[HD]2O)"
    r")(?![a-z])(?P<close>\))?(?P<amount>(?<!NH)[0-9]+)?"
)


def abbreviation(text: str) -> Misprint | None:
    """Find abbreviations of organic groups that read as elements."""
    if not _GROUP.search(text):
        return None
    problem = "has an abbreviation of an organic group that is also an element symbol"
    return Misprint(problem, (_GROUP.sub(_written_out, text), _GROUP.sub(_as_elements, text)))


def _short(match: re.Match[str]) -> str:
    names = ("oxygen", "ligand", "bracket", "salt", "acid", "amine", "hydrate")
    return next(match[name] for name in names if match[name])


def _written_out(match: re.Match[str]) -> str:
    group, amount = _WRITTEN_OUT[_short(match)], match["amount"] or ""
    if amount and not match["close"]:
        group = f"({group})"
    return f"{match['open'] or ''}{group}{match['close'] or ''}{amount}"


def _as_elements(match: re.Match[str]) -> str:
    """Write an amount after every symbol."""
    behind = match.string[match.end() : match.end() + 1]
    amount = match["amount"] or ("" if match["close"] or not behind.isdigit() else behind)
    explicit = re.sub("[A-Z][a-z]?(?![a-z0-9])", r"\g<0>1", _short(match))
    if amount and not match["close"]:
        explicit = explicit.removesuffix("1")
    stated = match["amount"] or ""
    return f"{match['open'] or ''}{explicit}{match['close'] or ''}{stated}"
