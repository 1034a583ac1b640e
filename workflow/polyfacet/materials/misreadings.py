"""Texts that can be read as formulas, but are rather misprints of others.

Each is refused with the spellings of what it may mean.  What cannot be told from a formula that chemists
write is taken for one: ``LaCI``, ``H20C9N2``, ``VOSO4``.  Names of alloys by weight (``Ti6Al4V``) look like
formulas in every respect, and are read as such.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from polyfacet.materials.adducts import SEPARATORS
from polyfacet.materials.capitals import in_mixed_case

_SYMBOL = re.compile("[A-Z][a-z]?")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]*)?")
# What is between the dots of an adduct, but for that of the keyboard.
_PART = re.compile(f"[^{re.escape(SEPARATORS)}]+")
# Nobody writes an amount as 02.
_LEADING_ZEROS = re.compile(r"(?<![0-9.])0+(?=[0-9])")
# At the end of a formula without O, this has the position of an O: Al203, Al203.3H2O.
_ZERO_INSIDE = re.compile(
    r"(?<![0-9.])(?P<before>[2-9]|[1-9][0-9])0(?P<behind>[2-9]|1[0-9])(?=\s*(?:$|\.[0-9. ]*\(?H2[O0]))"
)
# None of an element alone is no formula: 3Ca0·Al2O3.
_ZERO_OF_AN_ELEMENT = re.compile(r"(?P<before>^[0-9. ]*[A-Z][a-z]?)0(?=\s*$)")
# Larger amounts than in formulas of oxides: C100H202, Al98Cu202.
_LARGEST_IN_OXIDES = 24
# Alone, in brackets of its own or behind the dot of a hydrate.
_H20 = re.compile(
    r"(?P<before>^[0-9. ]*|[(\[{]|(?:[NOFSI]|Cl|Br|[)\]}])[0-9]*(?:\s*\.[0-9. ]*| [0-9.]+ ?))H20"
    r"(?=\s*$|[)\]}])"
)
# Behind metals of carbide iodides, such as LaCI and Zr6CI12, only in what is a chloride: ZrCI4.
_I_FOR_L = re.compile(
    r"(?P<before>^|(?<![A-Za-z0-9])(?:H(?!CI[0-9])|CH?|CH[23]|NH4)|[)\]}][0-9]?"
    r"|(?:Li|Na|K|Rb|Cs|Be|Mg|Ca|Sr|Ba|B|Al|Ga|In|Tl|Si|Ge|Sn|Pb|P|As|Sb|Bi|O|Se|Te|F"
    r"|Ti|V|Cr|Mo|Mn|Re|Fe|Ru|Os|Co|Rh|Ir|Ni|Pd|Pt|Cu|Ag|Au|Zn|Cd|Hg)[0-9]?"
    r"|(?:Sc|Y|La|Ce|Pr|Nd|Sm|Eu|Gd|Tb|Dy|Ho|Er|Tm|Yb|Lu|Zr|Hf|Nb|Ta|W|Th|U)(?=CI[2-6])"
    r"|[(\[{](?=CIO))CI(?=(?:O?[0-9]*)(?:$|[^A-Za-z0-9]))"
)
_CARBON_IODIDE = re.compile("CI[134]")
_NUMBER_AFTER_SPACE = re.compile(
    r"(?P<before>[A-Za-z0-9)\]}]) (?=[0-9][0-9.]*(?:[A-Z]|[(\[{][A-Z]| [(\[{]?(?:H2O|NH3)))"
)
_LOST_DOT = re.compile(
    r"(?P<main>[A-Z].*(?:[NOFSI]|Cl|Se|Br|[)\]}]))(?P<amount>[2-9])(?P<factor>[1-9][0-9]?)(?P<water>H2O)"
)


@dataclass(frozen=True)
class _Misprint:
    """What is odd about a text, and the spellings of what it may mean, the likely one first."""

    problem: str
    spellings: tuple[str, ...]


def misreading(text: str) -> str | None:
    """Say what a text may mean rather than what it could be read as; None if it is a formula.

    Parameters
    ----------
    text
        A formula as a table states it, with plain digits and single spaces.
    """
    found = _misprint(text)
    if found is None:
        return None
    return f"{found.problem}. Write {' or '.join(repr(_corrected(each)) for each in found.spellings)}"


def _misprint(text: str) -> _Misprint | None:
    return next(filter(None, (kind(text) for kind in _KINDS)), None)


def _corrected(text: str) -> str:
    """Correct what is still odd about a spelling; one text may hold several misprints."""
    for _ in range(len(text)):
        found = _misprint(text)
        if found is None:
            break
        text = found.spellings[0]
    return text


def _zero_for_o(text: str) -> _Misprint | None:
    """Find amounts whose zero may be the letter O."""
    problem = "has a zero for the letter O, as in H20 for H2O"
    if _LEADING_ZEROS.search(text):
        # Behind a symbol or a bracket; as a factor it lacks its decimal point.
        oxide = re.sub(r"(?<=[A-Za-z)\]}])0+(?=[0-9])", "O", text)
        return _Misprint(problem, (_LEADING_ZEROS.sub("0.", oxide), _LEADING_ZEROS.sub("", text)))
    oxide, amounts = _PART.sub(_with_o, text), _PART.sub(_with_a_point, text)
    if oxide == text:
        return None
    return _Misprint(problem, (oxide,) if amounts == text else (oxide, amounts))


def _with_o(part: re.Match[str]) -> str:
    oxide = _ZERO_OF_AN_ELEMENT.sub(r"\g<before>O", part.group())
    return _zeros_replaced(oxide, r"\g<before>H2O", r"\g<before>O\g<behind>")


def _with_a_point(part: re.Match[str]) -> str:
    return _zeros_replaced(part.group(), r"\g<before>H20.0", r"\g<before>0\g<behind>.0")


def _zeros_replaced(part: str, water: str, oxide: str) -> str:
    def oxide_or_itself(match: re.Match[str]) -> str:
        before = match.string[: match.start()]
        return match.expand(oxide) if _may_be_of_an_oxide(before) else match.group()

    return _ZERO_INSIDE.sub(oxide_or_itself, _H20.sub(water, part))


def _may_be_of_an_oxide(text: str) -> bool:
    """Whether what is in front of an amount names no O and has no other large amount."""
    amounts = [float(number) for number in _NUMBER.findall(text)]
    return "O" not in _SYMBOL.findall(text) and all(amount <= _LARGEST_IN_OXIDES for amount in amounts)


def _i_for_l(text: str) -> _Misprint | None:
    """Find chlorine that is typed with the letter I."""
    chloride = _PART.sub(lambda part: _with_chlorine(part.group(), r"\g<before>Cl"), text)
    if chloride == text:
        return None
    iodide = _PART.sub(lambda part: _with_chlorine(part.group(), r"\g<before>C1I"), text)
    return _Misprint("has CI with the letter I", (chloride, iodide))


def _with_chlorine(part: str, spelling: str) -> str:
    return part if _CARBON_IODIDE.fullmatch(part) else _I_FOR_L.sub(spelling, part)


def _number_after_space(text: str) -> _Misprint | None:
    """Find a number that may be an amount as well as a factor of what follows."""
    found = [match["before"] for match in _NUMBER_AFTER_SPACE.finditer(text)]
    if not found:
        return None
    spellings = [_NUMBER_AFTER_SPACE.sub(r"\g<before>·", text)]
    # Behind an amount it is no other amount.
    if not any(before.isdigit() for before in found):
        amounts = _NUMBER_AFTER_SPACE.sub(r"\g<before>", text)
        without_dot = _lost_dot(amounts)
        spellings.append(without_dot.spellings[1] if without_dot else amounts)
    problem = "has a number between a space and a symbol, an amount or a factor of what follows"
    return _Misprint(problem, tuple(spellings))


def _in_capitals(text: str) -> _Misprint | None:
    spellings = in_mixed_case(text)
    return spellings and _Misprint("is in capitals throughout", spellings)


def _lost_dot(text: str) -> _Misprint | None:
    """Find a hydrate whose dot was lost."""
    match = _LOST_DOT.fullmatch(text)
    if not match or len(set(_SYMBOL.findall(match["main"]))) == 1:
        return None
    main, amount, factor, water = match.groups()
    spellings = (f"{main}{amount}·{factor}{water}", f"({main}{amount}{factor}){water}")
    return _Misprint("may have lost the dot of a hydrate", spellings)


_KINDS: tuple[Callable[[str], _Misprint | None], ...] = (
    _zero_for_o,
    _i_for_l,
    _number_after_space,
    _in_capitals,
    _lost_dot,
)
