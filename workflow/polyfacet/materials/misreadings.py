"""Texts that can be read as formulas, but are rather misprints of others.

Where such a text is really meant, an amount of 1 behind a symbol makes that clear: ``LaC1I``.  Names of
alloys by weight (``Ti6Al4V``) look like formulas in every respect, and are read as such.
"""

import re

# Nobody writes an amount as 02 or 12019; each has the position of an O.
_ZERO_FOR_O = re.compile(
    r"(?<![0-9.])0[0-9]"
    r"|(?<![0-9.])(?:[2-9]|[1-9][0-9])0(?:[2-9]|1[0-9])(?![0-9.])"
    r"|(?:^|[(\[{]|[^A-Za-z0-9)\]}\s][0-9. ]*)H20(?![0-9.])"
)
_I_FOR_L = re.compile(r"(?<=[A-Za-z0-9)\]}])CI|^CI(?!4)")
_NUMBER_AFTER_SPACE = re.compile(r"[A-Za-z0-9)\]}] [0-9][0-9.]*(?:[A-Z]|[(\[{][A-Z]| [(\[{]?(?:H2O|NH3))")
_MISPRINTS = (
    (_ZERO_FOR_O, "has a zero for the letter O, as in H20 for H2O"),
    (_I_FOR_L, "has CI with the letter I. Write Cl, or C1I for carbon and iodine"),
    (
        _NUMBER_AFTER_SPACE,
        "has a number between a space and a symbol: an amount, or a factor of what follows? Write an amount "
        "behind its symbol without a space, and · in front of a factor",
    ),
)
# In capitals throughout, these are symbols of two letters rather than two elements.
_CAPITALS = re.compile(
    r"CU|NB|NI(?!3)|SN(?!2H)|PB|PU|SI|SB|BI(?!3$)|IN(?=2?[A-Z])|SC(?![N(])|YB(?=[0-9]*O)|HF(?=[BCNO])"
    r"|OS(?=O)|CO(?=[2-9]O)|HO(?=[2-9]O)|CS(?=[FHI])"
)
_LOST_DOT = re.compile(
    r"(?P<main>[A-Z].*(?:[HNOFSI]|Cl|Se|Br|[)\]}]))(?P<digits>[1-9][0-9]{1,2})(?P<water>\(?H2O\)?)"
)


def misreading(text: str) -> str | None:
    """Say what a text means rather than what it could be read as; None if it is a formula.

    Parameters
    ----------
    text
        A formula as a table states it, with plain digits and single spaces.
    """
    for pattern, reason in _MISPRINTS:
        if pattern.search(text):
            return reason
    if text == text.upper() and (found := _CAPITALS.search(text)):
        pair = found.group()
        both = f"{pair.title()} or {pair[0]} and {pair[1]}"
        return f"may mean {both}. Write {pair.title()} or {pair[0]}1{pair[1]}"
    return _lost_dot(text)


def _lost_dot(text: str) -> str | None:
    """Say how a hydrate may be meant whose dot was lost."""
    match = _LOST_DOT.fullmatch(text)
    if not match or len(set(re.findall("[A-Z][a-z]?", match["main"]))) == 1:
        return None
    main, digits, water = match.groups()
    hydrate, atoms = f"{main}{digits[0]}·{digits[1:]}{water}", f"({main}{digits}){water}"
    return f"may have lost the dot of a hydrate. Write {hydrate!r} or {atoms!r}"
