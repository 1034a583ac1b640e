"""Read numbers in the cells of a table strictly: anything else is rejected with its likely cause."""

import math
import re
import unicodedata

# Squares of larger numbers would soon be infinite.
MAX_NUMBER = 1e100

_NUMBER = re.compile(r"[+-]?(?P<digits>[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
# Contents of a cell whose value is missing, in upper or lower case; docs/tables.md lists them.
MISSING = frozenset(
    (
        *("", "-", "--", "---", "–", "—", "?", "na", "n/a", "n.a.", "#n/a", "<na>", "nd", "n/d", "n.d."),  # noqa: RUF001
        *("nan", "none", "null", "nil", "missing", "unknown"),
    )
)
# These numbers also mean that a value is missing.
_NINES = re.compile(r"-9{3,}(?:\.0*)?")
_CAUSES = (
    (r"[+-]?(?:inf|infinity)", "not a finite number"),
    (r"[+-]?0x[0-9a-f]+", "not a decimal number but a hexadecimal one"),
    (r"[+-]?[0-9]+,[0-9]+", "not a number: a decimal comma? Write a point, and no thousands separators"),
    (r"[+-]?[0-9]{1,3}(?:[,.' ][0-9]{3})+(?:[.,][0-9]+)?", "not a number: thousands separators?"),
    (
        r"bal(?:ance|\.)?|rest|rem(?:ainder|\.)?",
        "not a number: the balance? Name its element as `composition.balance`, without a column",
    ),
    (
        r"[<>≤≥~≈].*|traces?|tr\.?|(?:max|min|up to|below|above|ca)[. ].*|[0-9.]+\s*(?:max|min)\.?",
        "not a number but a limit or an estimate",
    ),
    (r".*(?:±|\+/-|\([0-9]+\)).*", "not a number: state its uncertainty in a separate column"),
    (
        r"[0-9]{1,2}-[a-z]{3}(?:-[0-9]+)?|[a-z]{3}-[0-9]+|[0-9]{4}-[0-9]{2}-[0-9]{2}",
        "not a number but a date, to which Excel converts some numbers: format the column as text",
    ),
    (r"#[a-z0/]+[!?]?", "a spreadsheet error"),
    (r"=.+", "a spreadsheet formula: save its values"),
    (r"[+-]?[0-9.]+\s*[*×x·⋅]\s*10.*", "not a number: write a power of ten as 1.5e-3"),  # noqa: RUF001
    (r"[0-9]+\s*/\s*[0-9]+", "not a number but a fraction"),
    (r".*[0-9]\s*(?:-|–|—|\.\.|to)\s*[0-9].*", "not a number but a range"),  # noqa: RUF001
    (r"[+-]?[0-9.]+\s*%", "not a number: remove the percent sign"),
    (r"[+-]?[0-9][0-9.]*\s*[^\W\d_][^0-9]*", "not a number: a unit? It belongs in the header"),
)
# Digits, spaces, dashes, signs, commas and invisible characters that look like those of a plain number.
_LOOKALIKES = ("Nd", "No", "Zs", "Pd", "Sm", "Po", "Cf")


class NumberError(ValueError):
    """A cell that does not contain a number; the message begins with its content and says why."""


class MissingNumberError(NumberError):
    """A cell that is empty or says that its value is missing."""


def is_missing(text: str) -> bool:
    """Return whether a cell, without white space around it, says that its value is missing."""
    return text.lower() in MISSING or _NINES.fullmatch(text) is not None


def read_number(text: str) -> float:
    """Read a number: ASCII digits, a point, an exponent; spaces and tabs around it are ignored.

    Raises
    ------
    MissingNumberError
        If the cell is empty or says that the value is missing.
    NumberError
        If it contains anything but a number, or a number that is not finite, above ``MAX_NUMBER``, or so
        small that it would become zero.
    """
    text = text.strip(" \t\r\n")
    if is_missing(text):
        raise MissingNumberError(f"missing ({text!r})" if text else "missing")
    match = _NUMBER.fullmatch(text)
    if match is None:
        raise NumberError(f"{text[:40]!r}, {_cause(text)}")
    value = float(text)
    if not math.isfinite(value) or abs(value) > MAX_NUMBER:
        raise NumberError(f"{text[:40]!r}, not a number up to {MAX_NUMBER:g}")
    if value == 0 and match["digits"].strip("0."):
        raise NumberError(f"{text[:40]!r}, a number too small to be distinguished from zero")
    return value


def _cause(text: str) -> str:
    for pattern, cause in _CAUSES:
        if re.fullmatch(pattern, text, re.IGNORECASE):
            return cause
    for character in text:
        if not character.isascii() and unicodedata.category(character) in _LOOKALIKES:
            name = unicodedata.name(character, "an unnamed character")
            return (
                f"not a number: it contains {name} (U+{ord(character):04X}). "
                "Write plain digits, point and minus"
            )
    return "not a number"
