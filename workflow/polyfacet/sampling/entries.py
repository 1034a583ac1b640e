"""Raw Alexandria entries, read one by one from files of any size.

An Alexandria file is JSON, plain or compressed by bz2 or gzip: a list of entries, or an object whose key
``entries`` holds that list.  The reader keeps one window of text in memory, never the file.

The fast parser takes whole documents only, so the end of an entry must be known before it is parsed.  The
reader guesses it: entries of a file begin alike, so the next one begins where the text stands again that
stood between the last two.  If what lies before it parses as one JSON object, the guess was right: no proper
prefix of an object is an object.  Otherwise the standard parser reads the entry; it also takes what the fast
one refuses (NaN).
"""

import bz2
import gzip
import json
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import orjson

from polyfacet.errors import UserError

OPENERS: dict[str, Callable[..., Any]] = {".json": open, ".bz2": bz2.open, ".gz": gzip.open}
WINDOW_CHARS = 1 << 20
MAX_ENTRY_CHARS = 64 << 20
# Real files expand to some twenty times their compressed size, one that is made to harm to a million times.
MAX_EXPANSION = 200
ALWAYS_READ_CHARS = 64 << 20
# What follows an entry is looked for this far; a longer entry is read with the standard parser.
QUICK_ENTRY_CHARS = 1 << 16
# Ends in the class name of a `ComputedStructureEntry`: other objects in it begin alike up to there.
SEPARATOR_CHARS = 72
# A value that is cut by the end of the window fails within this distance of the end, or inside a string.
CUT_MARGIN_CHARS = 16


def read_entries(path: Path) -> Iterator[tuple[int, Any]]:
    """Stream the entries of one file.

    Parameters
    ----------
    path
        File whose name ends in ``.json``, ``.json.bz2`` or ``.json.gz``.

    Yields
    ------
    tuple
        Position of the entry in its list (from 0) and its JSON value, unchecked.

    Raises
    ------
    UserError
        If the file is damaged or is not a list of entries; names the file and the entry.  What came before
        has been yielded by then, so a caller must not treat a partial read as a whole one.
    """
    with OPENERS[path.suffix](path, "rt", encoding="utf-8") as stream:
        window = _JsonWindow(stream, path)
        is_object = window.enter_entries()
        while window.next_is_entry():
            value = window.entry()
            window.position += 1
            yield window.position - 1, value
        if is_object:
            window.leave_object()
        if window.peek():
            raise window.error("text after the end of the JSON document")


class _JsonWindow:
    """A moving window of JSON text with the few steps that a list of entries needs."""

    def __init__(self, stream: IO[str], path: Path) -> None:
        self.stream = stream
        self.path = path
        self.position = 0
        self.text = ""
        self.at = 0
        self.ended = False
        self.left = max(ALWAYS_READ_CHARS, MAX_EXPANSION * path.stat().st_size)
        self.decode = json.JSONDecoder().raw_decode
        # End of an entry and beginning of the next, as they last stood in the text; empty if unknown.
        self.separator = ""

    def error(self, what: str) -> UserError:
        return UserError(
            f"{self.path}: {what} at entry {self.position} ({self.position} entries before it are readable). "
            f"Get the file again; a partial file is never used."
        )

    def grow(self) -> bool:
        """Read on; False at the end of the file."""
        if self.ended:
            return False
        try:
            more = self.stream.read(max(WINDOW_CHARS, len(self.text) - self.at))
        except EOFError as error:
            raise self.error("the compressed file is truncated") from error
        except (OSError, zlib.error, UnicodeDecodeError) as error:
            raise self.error(f"the file is damaged ({error})") from error
        self.ended = not more
        self.left -= len(more)
        if self.left < 0:
            raise self.error(f"the file expands to more than {MAX_EXPANSION} times its size")
        if more:
            self.text = self.text[self.at :] + more
            self.at = 0
        return not self.ended

    def peek(self) -> str:
        """Return the next character that is no white space, without taking it; empty at the end."""
        while True:
            while self.at < len(self.text):
                if not self.text[self.at].isspace():
                    return self.text[self.at]
                self.at += 1
            if not self.grow():
                return ""

    def take(self, expected: str) -> None:
        found = self.peek()
        if found != expected:
            raise self.error(f"expected {expected!r}, found {found!r}" if found else "the file ends early")
        self.at += 1

    def entry(self) -> Any:
        """Take one entry, by the fast parser where it can be used."""
        self.peek()
        brace = -1
        if self.separator:
            brace = self.text.find(self.separator, self.at, self.at + QUICK_ENTRY_CHARS)
        if brace >= 0:
            with suppress(orjson.JSONDecodeError):
                value = orjson.loads(self.text[self.at : brace + 1])
                self.at = brace + 1
                return value
        value = self.value()
        between = self.text[self.at - 1 : self.at - 1 + SEPARATOR_CHARS]
        self.separator = between if isinstance(value, dict) and len(between) == SEPARATOR_CHARS else ""
        return value

    def value(self) -> Any:
        """Take one whole JSON value, reading on while the window cuts it."""
        self.peek()
        while True:
            try:
                value, end = self.decode(self.text, self.at)
            except json.JSONDecodeError as error:
                if not self._may_be_cut(error) or not self.grow():
                    raise self.error(f"malformed JSON ({error.msg})") from error
                if len(self.text) > MAX_ENTRY_CHARS:
                    raise self.error(f"an entry longer than {MAX_ENTRY_CHARS >> 20} MiB") from error
                continue
            except (RecursionError, ValueError) as error:
                raise self.error(f"malformed JSON ({error})") from error
            # A number near the end of the window may go on behind it: `1` could be the start of `1.5e3`.
            if end <= len(self.text) - CUT_MARGIN_CHARS or not self.grow():
                self.at = end
                return value

    def _may_be_cut(self, error: json.JSONDecodeError) -> bool:
        return error.msg.startswith("Unterminated string") or error.pos >= len(self.text) - CUT_MARGIN_CHARS

    def enter_entries(self) -> bool:
        """Step into the list of entries; True if it stands in an object under ``entries``."""
        if self.peek() == "[":
            self.take("[")
            return False
        self.take("{")
        while True:
            key = self.value()
            self.take(":")
            if key == "entries":
                self.take("[")
                return True
            self.value()
            if self.peek() == "}":
                raise self.error("no key 'entries' in the document")
            self.take(",")

    def next_is_entry(self) -> bool:
        """Step over the comma before the next entry, or over the bracket that ends the list."""
        if self.peek() == "]":
            self.take("]")
            return False
        if self.position:
            self.take(",")
        return True

    def leave_object(self) -> None:
        """Step over what follows the entries in their object."""
        while self.peek() == ",":
            self.take(",")
            self.value()
            self.take(":")
            self.value()
        self.take("}")
