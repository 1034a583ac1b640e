"""Oxidation numbers in Roman numerals, whose letters are also symbols: ``Fe(III)Cl3``, ``Cu(II)SO4``."""

import re

from polyfacet.materials.misprints import Misprint

# After these, a bracket with one letter is more likely a ligand.
_NOT_OXIDISED = "[CHNOF](?![a-z])"
_NUMERAL = "(?:I{1,3}|IV|VI{0,3})"
_NUMBER = re.compile(
    rf"(?P<element>(?!{_NOT_OXIDISED})[A-Z][a-z]?)"
    rf"(?:(?P<amount>[0-9]*) ?(?:\((?P<round>{_NUMERAL})\)|\[(?P<square>{_NUMERAL})\])"
    r"|(?P<bare>III?)(?![0-9Ia-z]))"
)


def oxidation_number(text: str) -> Misprint | None:
    """Find oxidation numbers after symbols; (Fe)80(V)20 and Fe80(V)20 do not have one."""
    named = _NUMBER.sub(_without, text)
    if named == text:
        return None
    problem = "has an oxidation number, whose letters are also element symbols: omit it"
    return Misprint(problem, (named, _NUMBER.sub(_as_atoms, text)))


def _numeral(match: re.Match[str]) -> str:
    return match["round"] or match["square"] or match["bare"]


def _is_amount_of_atoms(match: re.Match[str]) -> bool:
    """Return whether a bracket with one letter is between amounts, as in alloys."""
    following = match.string[match.end() : match.end() + 1]
    return bool(match["amount"]) and len(_numeral(match)) == 1 and following.isdigit()


def _without(match: re.Match[str]) -> str:
    return match.group() if _is_amount_of_atoms(match) else f"{match['element']}{match['amount'] or ''}"


def _as_atoms(match: re.Match[str]) -> str:
    if _is_amount_of_atoms(match):
        return match.group()
    atoms = "".join(f"{letter}1" for letter in _numeral(match))
    return f"{match['element']}{match['amount'] or ''}" + (atoms if match["bare"] else f"({atoms})")
