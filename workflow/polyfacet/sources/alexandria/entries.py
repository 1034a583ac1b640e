"""Raw Alexandria entries, read one by one from files of any size.

A file holds one JSON document or several, one after the other.  A document is a list of entries, an object
whose key ``entries`` holds the entries, an object that holds them by identifier, or one entry (so a file may
have one entry per line).  Everything in a document is read as an entry or reported; nothing is skipped
silently.  The reader keeps one window of text in memory, never the file.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from polyfacet.runtime.errors import UserError
from polyfacet.runtime.progress import tell
from polyfacet.sources.alexandria.entry_keys import identified
from polyfacet.sources.file_text import FileText, UnreadableTextError
from polyfacet.sources.json_window import MAX_ENTRY_CHARS, JsonWindow

# Fields of a `ComputedStructureEntry`.
FIELDS = frozenset(
    {
        "composition",
        "correction",
        "data",
        "energy",
        "energy_adjustments",
        "entry_id",
        "parameters",
        "structure",
    }
)
FORMS = (
    'Provide a list of entries, {"entries": [...]}, {"<mat_id>": {...}, ...} or one entry per line '
    "(JSON Lines); an entry is a pymatgen ComputedStructureEntry."
)
# The key of a document that holds its entries.
ENTRIES = "entries"
# Prefix of the keys under which objects written by pymatgen name their class.
CLASS_MARK = "@"
# The embedded entries keep the molecules that their energies refer to, under a key of their own.
REFERENCES = "molecular_references"
# Files joined by `cat` may have it in the middle.
BYTE_ORDER_MARK = "\ufeff"
# Values of an object that are examined to decide whether it contains entries by identifier.
MAX_VALUES_BEFORE_ENTRY = 1000


def read_entries(path: Path) -> Iterator[tuple[int, Any]]:
    """Stream the entries of one file.

    Parameters
    ----------
    path
        JSON in UTF-8, or with a byte order mark in UTF-16 or UTF-32; plain, or compressed in one of the ways
        of `polyfacet.sources.compression`.

    Yields
    ------
    tuple
        Position of the entry in its file (from 0) and its unchecked JSON value, or a `MislabelledEntry` if
        the identifier of the entry contradicts its key.

    Raises
    ------
    UserError
        If the file is damaged or contains no entries; names the file and the entry.  Earlier entries have
        been yielded by then, so a caller must not treat a partial read as a complete one.
    """
    try:
        text = FileText(path)
    except UnreadableTextError as error:
        raise UserError(f"{path}: {error}. {error.advice}") from error
    with text:
        window = JsonWindow(text, path)
        yield from enumerate(_documents(window))


def _documents(window: JsonWindow) -> Iterator[Any]:
    """Yield the entries of one document after the other."""
    found = window.peek()
    if found not in ("[", "{"):
        raise window.error(f"no JSON list or object, but {found!r}" if found else "the file is empty", FORMS)
    while found:
        if found == "[":
            yield from _list(window)
        elif found == "{":
            yield from _object(window)
        elif found == BYTE_ORDER_MARK:
            window.take(BYTE_ORDER_MARK)
        else:
            raise window.error("text after the end of the JSON document", FORMS)
        found = window.peek()


def _list(window: JsonWindow) -> Iterator[Any]:
    window.take("[")
    is_first = True
    while window.peek() != "]":
        if not is_first:
            window.take_comma()
        yield window.entry()
        is_first = False
    window.take("]")


def _object(window: JsonWindow) -> Iterator[Any]:
    """Yield the entries of an object once its keys show how they are stored."""
    window.set_mark()
    window.take("{")
    others: list[tuple[str, Any]] = []
    while window.peek() != "}":
        if others:
            window.take_comma()
        key = window.key()
        if _holds_entries(window, key):
            window.drop_mark()
            yield from _container(window)
            yield from _beside_entries(window, [other for other, _ in others])
            return
        others.append((key, window.value()))
        if key not in FIELDS and _is_entry(others[-1][1]):
            window.drop_mark()
            yield from _values_before(window, others)
            yield from _members(window, is_first=False)
            return
        if len(others) > MAX_VALUES_BEFORE_ENTRY or window.n_marked_chars > MAX_ENTRY_CHARS:
            raise _without_entries(window, others)
    window.take("}")
    # In a file of several documents, one that is not an entry becomes a reject.
    if not window.position and window.peek() != "{" and not _could_be_entry(others):
        raise _without_entries(window, others)
    window.rewind()
    yield from _one_after_the_other(window)


def _one_after_the_other(window: JsonWindow) -> Iterator[Any]:
    """Yield documents that are entries, read by the fast parser, and the entries in other documents."""
    while window.peek() == "{":
        window.set_mark()
        value = window.entry()
        if _holds_others(value):
            window.position -= 1
            window.rewind()
            yield from _object(window)
        else:
            window.drop_mark()
            yield value


def _holds_others(value: dict[str, Any]) -> bool:
    """Return whether an object contains entries but is not an entry."""
    return any(
        isinstance(member, list | dict) if key == ENTRIES else key not in FIELDS and _is_entry(member)
        for key, member in value.items()
    )


def _holds_entries(window: JsonWindow, key: str) -> bool:
    return key == ENTRIES and window.peek() in ("[", "{")


def _container(window: JsonWindow) -> Iterator[Any]:
    """Yield the value of the key ``entries``, entry by entry."""
    if window.peek() == "[":
        yield from _list(window)
    else:
        window.take("{")
        yield from _members(window, is_first=True, is_inner=True)


def _is_entry(value: Any) -> bool:
    return isinstance(value, dict) and len(value.keys() & FIELDS) > 1


def _could_be_entry(members: Sequence[tuple[str, Any]]) -> bool:
    """Return whether an object has fields of an entry; an entry has no list under ``data``."""
    return any(key in FIELDS and not (key == "data" and isinstance(value, list)) for key, value in members)


def _without_entries(window: JsonWindow, others: Sequence[tuple[str, Any]]) -> UserError:
    keys = [repr(key[:40]) for key, _ in others[:5]] + ["..."] * (len(others) > 5)
    lists = [key for key, value in others if isinstance(value, list)]
    rename = f"Rename the key {lists[0][:40]!r} to 'entries' if it contains the entries. " if lists else ""
    return window.error(
        f"no entries in the document (its keys: {', '.join(keys) or 'none'})", f"{rename}{FORMS}"
    )


def _values_before(window: JsonWindow, others: Sequence[tuple[str, Any]]) -> Iterator[Any]:
    """Yield the values that were read before it was clear that the object stores entries by identifier."""
    for key, value in others:
        if not _is_class_mark(key, value):
            window.position += 1
            yield identified(value, key)


def _is_class_mark(key: str, value: Any) -> bool:
    return key.startswith(CLASS_MARK) and not isinstance(value, dict | list)


def _members(window: JsonWindow, *, is_first: bool, is_inner: bool = False) -> Iterator[Any]:
    """Yield the entries that an object stores by identifier, up to its end.

    Parameters
    ----------
    is_first
        Whether the next member is the first one, which has no comma before it.
    is_inner
        Whether the object is the value of ``entries``; inside it, this key is an ordinary identifier.
    """
    while window.peek() != "}":
        if not is_first:
            window.take_comma()
        is_first = False
        key = window.key()
        if not is_inner and _holds_entries(window, key):
            yield from _container(window)
        elif key.startswith(CLASS_MARK) and window.peek() not in ("[", "{"):
            window.value()
        else:
            yield identified(window.entry(), key)
    window.take("}")


def _beside_entries(window: JsonWindow, others: list[str]) -> Iterator[Any]:
    """Yield the entries next to ``entries`` in their object, and report its other keys."""
    while window.peek() == ",":
        window.take_comma()
        key = window.key()
        if _holds_entries(window, key):
            yield from _container(window)
            continue
        value = window.value()
        if _is_entry(value):
            window.position += 1
            yield identified(value, key)
        else:
            others.append(key)
    window.take("}")
    unread = [repr(key[:40]) for key in others if not key.startswith(CLASS_MARK) and key != REFERENCES]
    if unread:
        more = f" and {len(unread) - 5} more" if len(unread) > 5 else ""
        tell(f"ignored keys next to `entries` in {window.path}: {', '.join(unread[:5])}{more}")
