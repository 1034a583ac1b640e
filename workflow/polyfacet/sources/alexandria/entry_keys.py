"""Entries that an object holds by identifier: what the key says of the entry."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class MislabelledEntry:
    """An entry that stands under another identifier than it states: which one is right nobody can tell."""

    stated: str
    key: str


def identified(value: Any, key: str) -> Any:
    """Let an entry that states no identifier have that under which it stands."""
    if not isinstance(value, dict) or not isinstance(value.get("data"), dict):
        return value
    stated = value["data"].get("mat_id")
    if stated is None:
        value["data"]["mat_id"] = key
    elif isinstance(stated, str) and stated != key and not _is_row_number(key, stated):
        return MislabelledEntry(stated, key)
    return value


def _is_row_number(key: str, stated: str) -> bool:
    """Whether an entry stands under the number of its row, as pandas writes it, and has its own name."""
    return key.isdecimal() and not stated.isdecimal()
