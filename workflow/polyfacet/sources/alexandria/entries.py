"""Raw Alexandria entries, read one by one from files of any size.

A file holds one JSON document or several, one after the other.  A document is a list of entries, an object
whose key ``entries`` holds the entries, an object that holds them by identifier, or one entry (so a file may
have an entry per line).  The reader keeps one window of text in memory, never the file.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from polyfacet.runtime.errors import UserError
from polyfacet.sources.alexandria.entry_text import EntryText, UnreadableTextError
from polyfacet.sources.alexandria.json_window import MAX_ENTRY_CHARS, JsonWindow

# What a `ComputedStructureEntry` consists of.
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
    'Give a list of entries, {"entries": [...]}, {"<mat_id>": {...}, ...} or an entry per line (JSON Lines); '
    "an entry is a ComputedStructureEntry of pymatgen."
)
# Objects that pymatgen writes name their class under keys that begin like this.
CLASS_MARK = "@"
# Values of an object that are looked at to tell whether it holds entries by identifier.
MAX_VALUES_BEFORE_ENTRY = 1000


def read_entries(path: Path) -> Iterator[tuple[int, Any]]:
    """Stream the entries of one file.

    Parameters
    ----------
    path
        JSON in UTF-8, or with a byte order mark in UTF-16 or UTF-32; plain, or compressed in one of the ways
        of `polyfacet.sources.alexandria.compression`.

    Yields
    ------
    tuple
        Position of the entry in its file (from 0) and its JSON value, unchecked.

    Raises
    ------
    UserError
        If the file is damaged or holds no entries; names the file and the entry.  What came before has been
        yielded by then, so a caller must not treat a partial read as a whole one.
    """
    try:
        text = EntryText(path)
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
        else:
            raise window.error("text after the end of the JSON document", FORMS)
        found = window.peek()


def _list(window: JsonWindow) -> Iterator[Any]:
    window.take("[")
    is_first = True
    while window.peek() != "]":
        if not is_first:
            window.take(",")
        yield window.entry()
        is_first = False
    window.take("]")


def _object(window: JsonWindow) -> Iterator[Any]:
    """Yield the entries of an object, once its keys have told how it holds them."""
    window.set_mark()
    window.take("{")
    others: list[tuple[str, Any]] = []
    while window.peek() != "}":
        if others:
            window.take(",")
        key = window.key()
        if key == "entries" and window.peek() in ("[", "{"):
            window.drop_mark()
            yield from _list(window) if window.peek() == "[" else _by_identifier(window)
            _leave_object(window)
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
    if window.peek() != "{" and FIELDS.isdisjoint(key for key, _ in others):
        raise _without_entries(window, others)
    window.rewind()
    while window.peek() == "{":
        yield window.entry()


def _is_entry(value: Any) -> bool:
    return isinstance(value, dict) and len(value.keys() & FIELDS) > 1


def _without_entries(window: JsonWindow, others: Sequence[tuple[str, Any]]) -> UserError:
    keys = [repr(key[:40]) for key, _ in others[:5]] + ["..."] * (len(others) > 5)
    return window.error(f"no entries in the document (its keys: {', '.join(keys) or 'none'})", FORMS)


def _values_before(window: JsonWindow, others: Sequence[tuple[str, Any]]) -> Iterator[Any]:
    """Yield the values that were read before it was clear that the object holds entries by identifier."""
    for key, value in others:
        if not key.startswith(CLASS_MARK):
            window.position += 1
            yield _identified(value, key)


def _by_identifier(window: JsonWindow) -> Iterator[Any]:
    window.take("{")
    yield from _members(window, is_first=True)


def _members(window: JsonWindow, *, is_first: bool) -> Iterator[Any]:
    """Yield the entries that an object holds by identifier, to its end."""
    while window.peek() != "}":
        if not is_first:
            window.take(",")
        is_first = False
        key = window.key()
        if key.startswith(CLASS_MARK):
            window.value()
        else:
            yield _identified(window.entry(), key)
    window.take("}")


def _identified(value: Any, key: str) -> Any:
    """Let an entry that states no identifier have that under which it stands."""
    if isinstance(value, dict) and isinstance(value.get("data"), dict):
        value["data"].setdefault("mat_id", key)
    return value


def _leave_object(window: JsonWindow) -> None:
    """Step over what follows the entries in their object."""
    while window.peek() == ",":
        window.take(",")
        window.key()
        window.value()
    window.take("}")
