"""Texts that can be read as formulas, but are probably misprints of others.

Each is rejected with spellings of what it may mean.  Texts that cannot be distinguished from formulas that
chemists write are accepted: ``LaCI``, ``H20C9N2``, ``VOSO4``.  Names of alloys by weight (``Ti6Al4V``) look
exactly like formulas, and are read as such.
"""

import re
from collections.abc import Callable

from polyfacet.materials.abbreviations import abbreviation
from polyfacet.materials.adducts import SEPARATORS
from polyfacet.materials.capitals import in_mixed_case
from polyfacet.materials.lower_case_o import lower_case_o
from polyfacet.materials.misprints import Misprint
from polyfacet.materials.mixed_capitals import partly_in_capitals
from polyfacet.materials.ones_for_letters import one_for_letter
from polyfacet.materials.oxidation_numbers import oxidation_number
from polyfacet.materials.zeros_for_o import zero_amount, zero_for_o

_SYMBOL = re.compile("[A-Z][a-z]?")
# Text between the dots of an adduct, other than the full stop.
_PART = re.compile(f"[^{re.escape(SEPARATORS)}]+")
# After metals of carbide iodides, such as LaCI and Zr6CI12, only with the amounts of chlorides: ZrCI4.
_I_FOR_L = re.compile(
    r"(?P<before>^|(?<![A-Za-z0-9])(?:H(?!CI[0-9])|CH?|CH[23]|NH4)|[)\]}][0-9]?"
    r"|(?:Li|Na|K|Rb|Cs|Be|Mg|Ca|Sr|Ba|B|Al|Ga|In|Tl|Si|Ge|Sn|Pb|P|As|Sb|Bi|O|Se|Te|F"
    r"|Ti|V|Cr|Mo|Mn|Re|Fe|Ru|Os|Co|Rh|Ir|Ni|Pd|Pt|Cu|Ag|Au|Zn|Cd|Hg)[0-9]?"
    r"|(?:Sc|Y|La|Ce|Pr|Nd|Sm|Eu|Gd|Tb|Dy|Ho|Er|Tm|Yb|Lu|Zr|Hf|Nb|Ta|W|Th|U)(?=CI[2-6])"
    r"|[(\[{](?=CIO))CI(?=(?:[OI]?[0-9]*)(?:$|[^A-Za-z0-9]))"
)
_CARBON_IODIDE = re.compile("CI[134]")
_NUMBER_AFTER_SPACE = re.compile(
    r"(?P<before>[A-Za-z0-9)\]}]) (?=[0-9][0-9.]*(?:[A-Z]|[(\[{][A-Z]| [(\[{]?(?:[HD]2O|N[HD]3)))"
)
_DECIMAL_AFTER_SPACE = re.compile(r"^(\s*)(.*?[A-Za-z)\]}]) ([0-9]+\.[0-9]*)(?= ?[A-Z(\[{])")
_LOST_DOT = re.compile(
    r"(?P<main>[A-Z].*(?:[NOFSI]|Cl|Se|Br|[)\]}]))(?P<amount>[2-9])(?P<factor>[1-9][0-9]?)(?P<water>[HD]2O)"
)


def misreading(text: str) -> Misprint | None:
    """Return the probable misprint in a text and what it may mean; None if it is a formula.

    Parameters
    ----------
    text
        A formula as stated in a table, with plain digits and single spaces.
    """
    return next(filter(None, (kind(text) for kind in _KINDS)), None)


def _i_for_l(text: str) -> Misprint | None:
    """Find chlorine typed with the letter I."""
    chloride = _PART.sub(lambda part: _with_chlorine(part.group(), r"\g<before>Cl"), text)
    if chloride == text:
        return None
    iodide = _PART.sub(lambda part: _with_chlorine(part.group(), r"\g<before>C1I"), text)
    return Misprint("has CI with the letter I", (chloride, iodide))


def _with_chlorine(part: str, spelling: str) -> str:
    return part if _CARBON_IODIDE.fullmatch(part) else _I_FOR_L.sub(spelling, part)


def _number_after_space(text: str) -> Misprint | None:
    """Find a number that may be either an amount or a factor of what follows."""
    found = [match["before"] for match in _NUMBER_AFTER_SPACE.finditer(text)]
    if not found:
        return None
    spellings = [_NUMBER_AFTER_SPACE.sub(r"\g<before>·", text)]
    # After an amount, it cannot be another amount.
    if not any(before.isdigit() for before in found):
        # What ends in a decimal is bracketed: NaCl0.5H2O could be read in two ways again.
        amounts = _PART.sub(lambda part: _DECIMAL_AFTER_SPACE.sub(r"\1(\2\3)", part.group()), text)
        amounts = _NUMBER_AFTER_SPACE.sub(r"\g<before>", amounts)
        without_dot = _lost_dot(amounts)
        spellings.append(without_dot.spellings[1] if without_dot else amounts)
    problem = "has a number between a space and a symbol, either an amount or a factor of what follows"
    return Misprint(problem, tuple(spellings))


def _in_capitals(text: str) -> Misprint | None:
    spellings = in_mixed_case(text)
    return spellings and Misprint("is in capitals throughout", spellings)


def _lost_dot(text: str) -> Misprint | None:
    """Find a hydrate whose dot is missing."""
    match = _LOST_DOT.fullmatch(text)
    if not match or len(set(_SYMBOL.findall(match["main"]))) == 1:
        return None
    main, amount, factor, water = match.groups()
    spellings = (f"{main}{amount}·{factor}{water}", f"({main}{amount}{factor}){water}")
    return Misprint("may lack the dot of a hydrate", spellings)


_KINDS: tuple[Callable[[str], Misprint | None], ...] = (
    oxidation_number,
    zero_for_o,
    zero_amount,
    _i_for_l,
    one_for_letter,
    _number_after_space,
    _in_capitals,
    abbreviation,
    partly_in_capitals,
    lower_case_o,
    _lost_dot,
)
