"""Entries stored in an object by identifier: the key as the identifier of the entry."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class MislabelledEntry:
    """An entry whose key is not the identifier that it states; which one is right cannot be determined."""

    stated: str
    key: str


def identified(value: Any, key: str) -> Any:
    """Return an entry with its key as identifier if it states none; a `MislabelledEntry` if they differ."""
    if not isinstance(value, dict) or not isinstance(value.get("data"), dict):
        return value
    stated = value["data"].get("mat_id")
    if stated is None:
        value["data"]["mat_id"] = key
    elif isinstance(stated, str) and stated != key and not _is_row_number(key, stated):
        return MislabelledEntry(stated, key)
    return value


def _is_row_number(key: str, stated: str) -> bool:
    """Return whether the key is a row number, as pandas writes it, and the entry has its own identifier."""
    return key.isdecimal() and not stated.isdecimal()
