"""Zeros typed for the letter O: ``H20``, ``Al203``, ``LiC0O2``.

A zero amount is accepted in an alloy whose amounts add up to 100 or 1, such as ``Fe80Cr0B20``, and wherever
it is written with decimals, ``Cr0.0``.
"""

import re
from collections.abc import Iterable

from polyfacet.materials.adducts import SEPARATORS
from polyfacet.materials.misprints import Misprint
from polyfacet.materials.whole_alloys import is_whole

_SYMBOL = re.compile("[A-Z][a-z]?")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]*)?")
# Text between the dots of an adduct, other than the full stop.
_PART = re.compile(f"[^{re.escape(SEPARATORS)}]+")
# Nobody writes an amount as 02.
_LEADING_ZEROS = re.compile(r"(?<![0-9.])0+(?=[0-9])")
# At the end of a formula without O, this zero is in the position of an O: Al203, Al203.3H2O.
_ZERO_INSIDE = re.compile(
    r"(?<![0-9.])(?P<before>[2-9]|[1-9][0-9])0(?P<behind>[2-9]|1[0-9])(?=\s*(?:$|\.[0-9. ]*\(?[HD]2[O0]))"
)
# A zero amount of a single element is not a formula: 3Ca0·Al2O3.
_ZERO_OF_AN_ELEMENT = re.compile(r"(?P<before>^[0-9. ]*[A-Z][a-z]?)0(?=\s*$)")
# Larger amounts do not occur in formulas of oxides: C100H202, Al98Cu202.
_LARGEST_IN_OXIDES = 24
# Alone, in its own brackets or after the dot of a hydrate.
_H20 = re.compile(
    r"(?P<before>^[0-9. ]*|[(\[{]|[A-Za-z0-9)\]}]\s*\.\s*"
    r"|(?:[HDNOFSI]|Cl|Br|[)\]}]|COO\)?[0-9]?[A-Z][a-z]?)[0-9]*(?:\s*\.[0-9. ]*| [0-9.]+ ?))"
    r"(?P<hydrogen>[HD])20"
    r"(?=\s*(?:$|\.\s*[A-Z(])|[)\]}])"
)
_ZERO_AMOUNT = re.compile(r"(?P<symbol>[A-Z][a-z]?)0(?![0-9.])")
_ZERO_OF_CARBON = re.compile(r"C0(?![0-9.])")
_ZERO_OF_OXYGEN = re.compile(r"O0(?![0-9.])")
_ZERO_OF_HYDROGEN = re.compile(r"^H0(?![0-9.])")
# Followed by an anion of an oxo cation, or by H; without the O, it is not a compound: Na0H, Bi0Cl,
# Zr0(NO3)2, KTi0PO4.
_ZERO_OF_A_CATION = re.compile(
    r"(?P<before>^(?:Li|Na|K|Rb|Cs|Ag|Tl|NH4|H)?(?!H0|C0|O0)[A-Z][a-z]?)0"
    r"(?=\(?(?:O?H|F|Cl|Br|I|N|NO3|SO4|PO4|AsO4|ClO4|CO3|C2O4)\)?[0-9]*\s*"
    rf"(?:$|[{re.escape(SEPARATORS)}]|\.[0-9. ]*\(?[HD]2[O0]))"
)


def zero_for_o(text: str) -> Misprint | None:
    """Find amounts whose zero may be the letter O."""
    problem = "has a zero for the letter O, as in H20 for H2O"
    if _LEADING_ZEROS.search(text):
        # After a symbol or a bracket it is an O; in a factor, the decimal point is missing.
        oxide = re.sub(r"(?<=[A-Za-z)\]}])0+(?=[0-9])", "O", text)
        return Misprint(problem, (_LEADING_ZEROS.sub("0.", oxide), _LEADING_ZEROS.sub("", text)))
    oxide, amounts = _PART.sub(_with_o, text), _PART.sub(_with_a_point, text)
    if oxide == text:
        return None
    return Misprint(problem, (oxide,) if amounts == text else (oxide, amounts))


def zero_amount(text: str) -> Misprint | None:
    """Find an element with the amount zero, unless the amounts are those of a complete alloy."""
    if not _ZERO_AMOUNT.search(text) or is_whole(text):
        return None
    meant = tuple(_without_zero_amount(text))
    if not meant:
        return None
    return Misprint(
        "has a zero for the letter O, or a zero amount of an element", (*meant, _with_decimals(text))
    )


def _without_zero_amount(text: str) -> Iterable[str]:
    symbols = _SYMBOL.findall(text)
    if _ZERO_OF_CARBON.search(text) and "Co" not in symbols:
        spellings = [_ZERO_OF_CARBON.sub(meant, text) for meant in ("Co", "CO")]
        # CH3C0OH rather than LiC0O2.
        return reversed(spellings) if "H" in symbols else spellings
    if _ZERO_OF_OXYGEN.search(text):
        return [_ZERO_OF_OXYGEN.sub("O", re.sub("O0(?=H)", "OO", text))]
    if _ZERO_OF_HYDROGEN.search(text):
        return [_ZERO_OF_HYDROGEN.sub("Ho", text)]
    if _ZERO_OF_A_CATION.search(text):
        return [_ZERO_OF_A_CATION.sub(r"\g<before>O", text)]
    return []


def _with_decimals(text: str) -> str:
    return _ZERO_AMOUNT.sub(r"\g<symbol>0.0", text)


def _with_o(part: re.Match[str]) -> str:
    oxide = _ZERO_OF_AN_ELEMENT.sub(r"\g<before>O", part.group())
    return _zeros_replaced(oxide, r"\g<before>\g<hydrogen>2O", r"\g<before>O\g<behind>")


def _with_a_point(part: re.Match[str]) -> str:
    return _zeros_replaced(part.group(), r"\g<before>\g<hydrogen>20.0", r"\g<before>0\g<behind>.0")


def _zeros_replaced(part: str, water: str, oxide: str) -> str:
    def oxide_or_itself(match: re.Match[str]) -> str:
        before = match.string[: match.start()]
        return match.expand(oxide) if _may_be_of_an_oxide(before) else match.group()

    return _ZERO_INSIDE.sub(oxide_or_itself, _H20.sub(water, part))


def _may_be_of_an_oxide(text: str) -> bool:
    """Return whether the text before an amount does not name O and has no other large amount."""
    amounts = [float(number) for number in _NUMBER.findall(text)]
    return "O" not in _SYMBOL.findall(text) and all(amount <= _LARGEST_IN_OXIDES for amount in amounts)
