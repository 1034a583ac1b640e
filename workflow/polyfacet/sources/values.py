"""Checks of single values of an entry, as JSON gives them.

Messages name the value as `what` + `place`, which are joined only if something is wrong.
"""

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from polyfacet.materials.stated_values import RESERVED

# Python's own also reads `0_5` as 5, digits of other scripts, and words such as `infinity`.
NUMBER = re.compile(r"\s*[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?\s*")


class InvalidEntryError(ValueError):
    """An entry that cannot be used; the message is the reason."""


def check_reserved(names: Iterable[str]) -> None:
    """Reject names of fields that Polyfacet adds itself."""
    if reserved := sorted(set(RESERVED).intersection(names)):
        raise InvalidEntryError(f"{reserved[0]} is a name that is reserved for Polyfacet: rename it")


def shown(value: Any) -> str:
    """Format a value for a message, truncated to 40 characters; of lists and objects, only the type."""
    return type(value).__name__ if isinstance(value, list | dict) else repr(value)[:40]


def mapping(value: Any, what: str, place: int | str = "") -> dict[str, Any]:
    """Return an object, or raise InvalidEntryError."""
    if not isinstance(value, dict):
        raise InvalidEntryError(f"{what}{place} is " + ("missing" if value is None else "not an object"))
    return value


def number(value: Any, what: str, place: int | str = "") -> float:
    """Return a finite number, or raise InvalidEntryError."""
    if type(value) is float and math.isfinite(value):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidEntryError(f"{what}{place} is {shown(value)}, not a number")
    try:
        found = float(value)
    except OverflowError:
        found = math.inf
    if not math.isfinite(found):
        raise InvalidEntryError(f"{what}{place} is {found}, not a finite number")
    return found


def given(data: Mapping[str, Any], key: str) -> Any:
    """Return the value of a key; None if it is missing or NaN, which tables have for missing values."""
    value = data.get(key)
    return None if isinstance(value, float) and math.isnan(value) else value


def given_whole(data: Mapping[str, Any], key: str) -> int | None:
    """Return the whole number of a key, which tables may write as 6.0; None if it is missing."""
    value = given(data, key)
    if value is None:
        return None
    found = number(value, key)
    if not found.is_integer():
        raise InvalidEntryError(f"{key} is {shown(value)}, not a whole number")
    return int(found)


def vector(value: Any, limit: float, what: str, place: int | str = "") -> list[float]:
    """Return three finite numbers whose magnitudes sum to less than a limit, or raise InvalidEntryError."""
    if not isinstance(value, list) or len(value) != 3:
        raise InvalidEntryError(f"{what}{place} is not a list of three numbers")
    x, y, z = value
    # A shortcut for nearly all vectors, where most of the time is spent; non-finite numbers fail it, too.
    if type(x) is type(y) is type(z) is float and abs(x) + abs(y) + abs(z) < limit:
        return value
    components = [number(component, what, place) for component in value]
    if sum(map(abs, components)) >= limit:
        raise InvalidEntryError(f"{what}{place} has components that add up to more than {limit:g}")
    return components


def as_float(value: Any) -> float | None:
    """Return a plain finite number, also if it is a text; None for anything else."""
    if isinstance(value, str) and not NUMBER.fullmatch(value):
        return None
    try:
        found = float(value) if isinstance(value, str | int | float) else math.nan
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None
