"""Oxidation numbers in Roman numerals, whose letters are symbols as well: ``Fe(III)Cl3``, ``Cu(II)SO4``."""

import re

from polyfacet.materials.misprints import Misprint

# Behind these a bracket of one letter is rather a ligand.
_NOT_OXIDISED = "[CHNOF](?![a-z])"
_NUMERAL = "(?:I{1,3}|IV|VI{0,3})"
_NUMBER = re.compile(
    rf"(?P<element>(?!{_NOT_OXIDISED})[A-Z][a-z]?)"
    rf"(?:(?P<amount>[0-9]*) ?(?:\((?P<round>{_NUMERAL})\)|\[(?P<square>{_NUMERAL})\])"
    r"|(?P<bare>III?)(?![0-9Ia-z]))"
)


def oxidation_number(text: str) -> Misprint | None:
    """Find oxidation numbers behind symbols; (Fe)80(V)20 has none, nor has Fe80(V)20."""
    named = _NUMBER.sub(_without, text)
    if named == text:
        return None
    problem = "has an oxidation number, whose letters are those of elements: leave it out"
    return Misprint(problem, (named, _NUMBER.sub(_as_atoms, text)))


def _numeral(match: re.Match[str]) -> str:
    return match["round"] or match["square"] or match["bare"]


def _is_amount_of_atoms(match: re.Match[str]) -> bool:
    """Whether the bracket of one letter stands between amounts, as in alloys."""
    following = match.string[match.end() : match.end() + 1]
    return bool(match["amount"]) and len(_numeral(match)) == 1 and following.isdigit()


def _without(match: re.Match[str]) -> str:
    return match.group() if _is_amount_of_atoms(match) else f"{match['element']}{match['amount'] or ''}"


def _as_atoms(match: re.Match[str]) -> str:
    if _is_amount_of_atoms(match):
        return match.group()
    atoms = "".join(f"{letter}1" for letter in _numeral(match))
    return f"{match['element']}{match['amount'] or ''}" + (atoms if match["bare"] else f"({atoms})")
