"""Values that the source of a crystal states: read strictly as numbers or as names of classes.

A source keeps what it says of a material as it is: cells of a CSV are texts, those of a Parquet file and of
JSON have types.  Nothing is guessed, and whatever is not plainly a value is an error with its likely cause.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from polyfacet.materials.stated_numbers import (
    MAX_NUMBER,
    MissingNumberError,
    NumberError,
    is_missing,
    read_number,
)

# Leads into a nested field: `elasticity.K_VRH`.
NESTED = "."
# Field of the data with the file and the position of the row that states them, if the structure is elsewhere.
STATED_IN = "_stated_in"
# Field of the data with the identifier that the source states, if it cannot be the material's ``mat_id``.
STATED_ID = "_stated_id"
# What a source must not call its own columns.
RESERVED = (STATED_IN, STATED_ID)
# The column of a CSV without a header that has one besides the identifiers; several have a number after it.
ONLY_PROPERTY = "property"
# Fields of an object that a message lists, and levels of fields in a list of columns.
MOST_FIELDS = 10
MOST_LEVELS = 5


class StatedValueError(ValueError):
    """A value that is not what its objective needs; the message is the reason."""


def has_column(data: Mapping[str, Any], column: str) -> bool:
    """Return whether the data of a material have a column, or a nested field; its value may be missing."""
    return _find(data, column) is not _ABSENT


def stated_value(data: Mapping[str, Any], column: str, classes: Sequence[str] = ()) -> float | str | None:
    """Read one value that a source states.

    Parameters
    ----------
    data
        What the source states of a material.
    column
        Name of the column or field.  If there is none of that name, dots lead into nested fields.
    classes
        Names of the classes; empty for numbers.

    Returns
    -------
    float or str or None
        The number or the class; None if the source does not state it.

    Raises
    ------
    StatedValueError
        If the value is neither missing nor what the objective needs.
    """
    value = _find(data, column)
    if value is _ABSENT or value is None:
        return None
    try:
        if isinstance(value, Mapping | list):
            raise StatedValueError(_structure(value, column))
        return _class_of(value, classes) if classes else _number(value)
    except MissingNumberError:
        return None
    except (StatedValueError, NumberError) as error:
        raise StatedValueError(f"{column} is {error}") from error


def number_or_none(data: Mapping[str, Any], column: str) -> float | None:
    """Return the number that a source states; None if it states none, or what objectives reject."""
    try:
        value = stated_value(data, column)
    except StatedValueError:
        return None
    return value if isinstance(value, float) else None


def columns_of(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """List the columns of some rows in the order of first occurrence, nested fields with their path."""
    return list(dict.fromkeys(name for row in rows for name in _names(row)))


class _Absent:
    """The type of `_ABSENT`: None is a value that a source may state."""


_ABSENT = _Absent()


def _find(data: Mapping[str, Any], column: str) -> Any:
    if column in data:
        return data[column]
    first, dot, rest = column.partition(NESTED)
    inner = data.get(first)
    return _find(inner, rest) if dot and isinstance(inner, Mapping) else _ABSENT


def _names(data: Mapping[str, Any], path: str = "", level: int = 1) -> Iterator[str]:
    for name, value in data.items():
        if name in RESERVED:
            continue
        if isinstance(value, Mapping) and value and level < MOST_LEVELS:
            yield from _names(value, f"{path}{name}{NESTED}", level + 1)
        else:
            yield f"{path}{name}"


def _structure(value: Mapping[str, Any] | list[Any], column: str) -> str:
    """Describe a value that has parts."""
    if isinstance(value, list):
        return "a list, not one value: write what is to be predicted in a column of its own"
    if not value:
        return "an empty object"
    fields = ", ".join(f"{column}{NESTED}{name}" for name in islice(value, MOST_FIELDS))
    return f"an object, not one value: name one of its fields, {fields}"


def _number(value: Any) -> float | None:
    if isinstance(value, str):
        return read_number(value)
    if isinstance(value, bool):
        raise StatedValueError(
            f"{_text_of(value)}, not a number but a truth value: for two classes, write classes: "
            "['true', 'false']"
        )
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if math.isnan(number):
        return None
    if math.isinf(number):
        raise StatedValueError(f"{number}, not a finite number")
    if abs(number) > MAX_NUMBER:
        raise StatedValueError(f"{number:g}, not a number up to {MAX_NUMBER:g}")
    return None if number.is_integer() and is_missing(f"{number:.1f}") else number


def _class_of(value: Any, classes: Sequence[str]) -> str | None:
    text = _text_of(value)
    # Python writes True, JSON true, Excel TRUE: a column of truth values may have come through any of them.
    lower = text.lower()
    spellings = (text, lower, lower.capitalize()) if lower in ("true", "false") else (text,)
    found = next((each for each in spellings if each in classes), None)
    if found is None and not is_missing(text):
        raise StatedValueError(f"{text[:40]!r}, not one of {', '.join(classes)}")
    return found


def _text_of(value: Any) -> str:
    """Write a value as the name of a class: numbers of classes may have become 1.0."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool):
        return str(value).lower()
    whole = isinstance(value, float) and value.is_integer()
    return str(int(value) if whole else value)
