"""Numbers in the cells of a table, read strictly: anything else is refused with its likely cause."""

import math
import re
import unicodedata

# Squares of larger numbers would soon be infinite.
MAX_NUMBER = 1e100

_NUMBER = re.compile(r"[+-]?(?P<digits>[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_MISSING = frozenset(
    (
        *("", "-", "--", "---", "?", "na", "n/a", "n.a.", "#n/a", "nd", "n/d", "n.d.", "nan"),
        *("none", "null", "nil", "missing", "unknown"),
    )
)
_CAUSES = (
    (re.compile(r"[+-]?(?:inf|infinity)", re.IGNORECASE), "not a finite number"),
    (
        re.compile(r"[+-]?[0-9]+,[0-9]+"),
        "not a number: a decimal comma? Write a point, and no thousands separators",
    ),
    (re.compile(r"[+-]?[0-9]{1,3}(?:[,.' ][0-9]{3})+(?:[.,][0-9]+)?"), "not a number: thousands separators?"),
    (re.compile(r"[<>≤≥~≈].*"), "not a number but a limit or an estimate"),
    (re.compile(r".*(?:±|\+/-|\([0-9]+\)).*"), "not a number: state its uncertainty in a column of its own"),
    (re.compile(r".*[0-9]\s*(?:-|–|—|\.\.|to)\s*[0-9].*"), "not a number but a range"),  # noqa: RUF001
    (re.compile(r"[+-]?[0-9.]+\s*%"), "not a number: take out the percent sign"),
    (re.compile(r"[+-]?[0-9][0-9.]*\s*[^\W\d_][^0-9]*"), "not a number: a unit? It belongs into the header"),
)
# Digits, spaces, dashes, signs, commas and invisible characters that look like those of a plain number.
_LOOKALIKES = ("Nd", "No", "Zs", "Pd", "Sm", "Po", "Cf")


class NumberError(ValueError):
    """A cell that holds no number; the message says why, beginning with what the cell is."""


def read_number(text: str) -> float:
    """Read a number: ASCII digits, a point, an exponent; spaces and tabs around it do not count.

    Raises
    ------
    NumberError
        If the cell is empty or says that the value is missing, holds anything but a number, or a number that
        is not finite, above ``MAX_NUMBER``, or so small that it would become zero.
    """
    text = text.strip(" \t\r\n")
    if text.lower() in _MISSING:
        raise NumberError(f"missing ({text!r})" if text else "missing")
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise NumberError(f"{text[:40]!r}, {_cause(text)}")
    value = float(text)
    if not math.isfinite(value) or abs(value) > MAX_NUMBER:
        raise NumberError(f"{text[:40]!r}, not a number up to {MAX_NUMBER:g}")
    if value == 0 and match["digits"].strip("0."):
        raise NumberError(f"{text[:40]!r}, a number too small to be told from zero")
    return value


def _cause(text: str) -> str:
    for pattern, cause in _CAUSES:
        if pattern.fullmatch(text):
            return cause
    for character in text:
        if not character.isascii() and unicodedata.category(character) in _LOOKALIKES:
            name = unicodedata.name(character, "an unnamed character")
            return (
                f"not a number: it holds {name} (U+{ord(character):04X}). Write plain digits, point and minus"
            )
    return "not a number"
