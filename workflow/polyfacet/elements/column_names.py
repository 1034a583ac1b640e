"""Read the element and the unit from the name of a column of amounts."""

import re
from functools import lru_cache

from polyfacet.elements.symbols import SYMBOLS

_BY_WEIGHT = re.compile(r"(?<![a-z])(?:wt|weight|mass|gew)(?![a-z])", re.IGNORECASE)
_BY_ATOMS = re.compile(
    r"(?<![a-z])(?:at(?=[.)\]_%]|[\s-]*(?:%|pct|percent|frac)|$)|atomic|mole?(?![a-z]))", re.IGNORECASE
)
_IN_PPM = re.compile(r"(?<![a-z])(?:[aw]?pp[mb]w?)(?![a-z])", re.IGNORECASE)
# Text around the element: Cr wt%, Cr (at. %), mass fraction of Cr, Cr_wt, %Cr.
_AROUND = re.compile(
    r"(?<![a-z])(?:wt|weight|mass|gew|at|atomic|mole?|pct|percent|frac|fraction|content|amount|of)(?![a-z])"
    r"|[%()\[\]{},;:_./\s-]+",
    re.IGNORECASE,
)
_SYMBOL = "(?:" + "|".join(sorted(SYMBOLS, key=len, reverse=True)) + ")"
_COMPOUND = re.compile(rf"{_SYMBOL}[0-9.]*(?:{_SYMBOL}[0-9.]*)+")
_SYMBOLS_BY_LOWER_CASE = {symbol.lower(): symbol for symbol in SYMBOLS}


def is_by_weight(name: str) -> bool:
    """Return whether a column is by weight and not by atoms."""
    return bool(_BY_WEIGHT.search(name)) and not _BY_ATOMS.search(name)


def is_by_atoms(name: str) -> bool:
    """Return whether a column is by atoms and not by weight."""
    return bool(_BY_ATOMS.search(name)) and not _BY_WEIGHT.search(name)


def is_in_ppm(name: str) -> bool:
    """Return whether a column is in parts per million or billion."""
    return bool(_IN_PPM.search(name))


def states_percent(name: str) -> bool:
    """Return whether a column is in percent of any kind."""
    return "%" in name or re.search("percent|pct", name, re.IGNORECASE) is not None


def element_in(name: str) -> str | None:
    """Return the element if a column's name is its symbol, in any case, and at most a unit; else None."""
    return _SYMBOLS_BY_LOWER_CASE.get(_without_unit(name).lower())


def compound_in(name: str) -> str | None:
    """Return the formula if a column's name is one of several elements and at most a unit; else None."""
    bare = _without_unit(name)
    is_compound = bare.lower() not in _SYMBOLS_BY_LOWER_CASE and _COMPOUND.fullmatch(bare)
    return bare if is_compound and len(set(re.findall("[A-Z][a-z]?", bare))) > 1 else None


@lru_cache(maxsize=1024)
def _without_unit(name: str) -> str:
    """Return a name without its unit if one word is left, else an empty string."""
    if name.lower() in _SYMBOLS_BY_LOWER_CASE:
        return name
    words = _AROUND.sub(" ", name).split()
    return words[0] if len(words) == 1 else ""
