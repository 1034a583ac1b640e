"""A moving window of JSON text, from which one value after the other is taken.

The fast parser accepts only complete documents, so the end of an entry must be known before it is parsed.
The window guesses it: entries of a file begin alike, so the next one begins where the text between the last
two occurs again.  If the text before it parses as one JSON object, the guess was right: no proper prefix of
an object is an object.  Otherwise the standard parser reads the entry; it also accepts what the fast one
rejects (NaN).
"""

import json
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson

from polyfacet.runtime.errors import UserError
from polyfacet.sources.file_text import GET_AGAIN, UNPACK, FileText, UnreadableTextError

WINDOW_CHARS = 1 << 20
MAX_ENTRY_CHARS = 64 << 20
# Real files expand to some twenty times their compressed size, decompression bombs to a million times.
MAX_EXPANSION = 200
ALWAYS_READ_CHARS = 64 << 20
# The end of an entry is searched for this far; a longer entry is read with the standard parser.
QUICK_ENTRY_CHARS = 1 << 16
# Ends in the class name of a `ComputedStructureEntry`: other objects in it begin alike up to there.
SEPARATOR_CHARS = 72
# A value cut off by the end of the window fails within this distance of the end, or inside a string.
CUT_MARGIN_CHARS = 16
TAKE_OUT = "Take the entry out of the file."
TAKE_COMMA_OUT = "Take the comma out of the file."
PUT_COMMA_IN = "Put a comma between them, or get the file again."
# Behind the last value of a list or object, in front of the first, or behind another comma.
COMMA_TOO_MANY = re.compile(r",\s*[\]},]|[\[{]\s*,")
# Around the place of an error it is looked for this far.
CONTEXT_CHARS = 1000


class JsonWindow:
    """A moving window of JSON text.

    Attributes
    ----------
    position
        How many entries have been taken.

    Raises
    ------
    UserError
        From every method, if the text is damaged or is not JSON; names the file and the entry.
    """

    def __init__(self, text: FileText, path: Path) -> None:
        self.source = text
        self.path = path
        self.position = 0
        self.text = ""
        self.at = 0
        # Place to which `rewind` returns; the text after it is kept as long as there is a mark.
        self.mark: int | None = None
        self.ended = False
        self.left = max(ALWAYS_READ_CHARS, MAX_EXPANSION * path.stat().st_size)
        self.decode = json.JSONDecoder().raw_decode
        # End of an entry and beginning of the next, as last seen in the text; empty if unknown.
        self.separator = ""

    def error(self, what: str, advice: str = GET_AGAIN) -> UserError:
        """Return an error that says where the reading stopped."""
        return UserError(
            f"{self.path}: {what} at entry {self.position} ({self.position} entries before it are readable). "
            f"{advice}"
        )

    def grow(self) -> bool:
        """Read more text; return False at the end of the file."""
        if self.ended:
            return False
        try:
            more = self.source.read(max(WINDOW_CHARS, len(self.text) - self.at))
        except UnreadableTextError as error:
            raise self.error(str(error), error.advice) from error
        self.ended = not more
        self.left -= len(more)
        if self.left < 0:
            raise self.error(f"the file expands to more than {MAX_EXPANSION} times its size", UNPACK)
        if more:
            keep = self.at if self.mark is None else self.mark
            self.text = self.text[keep:] + more
            self.at -= keep
            self.mark = None if self.mark is None else 0
        return not self.ended

    def set_mark(self) -> None:
        """Mark the current place."""
        self.mark = self.at

    def drop_mark(self) -> None:
        """Remove the mark."""
        self.mark = None

    def rewind(self) -> None:
        """Return to the marked place and remove the mark."""
        if self.mark is None:
            raise RuntimeError("no mark is set")
        self.at, self.mark = self.mark, None

    @property
    def n_marked_chars(self) -> int:
        """Length of the text since the mark."""
        return 0 if self.mark is None else self.at - self.mark

    def peek(self) -> str:
        """Return the next character that is not white space, without taking it; empty at the end."""
        while True:
            while self.at < len(self.text):
                if not self.text[self.at].isspace():
                    return self.text[self.at]
                self.at += 1
            if not self.grow():
                return ""

    def take(self, expected: str) -> None:
        """Take one character, which must be the expected one."""
        found = self.peek()
        if expected in (",", "}") and found in ("[", "{", '"'):
            raise self.error("malformed JSON (a comma is missing between two values)", PUT_COMMA_IN)
        if found != expected:
            raise self.error(f"expected {expected!r}, found {found!r}" if found else "the file ends early")
        self.at += 1

    def take_comma(self) -> None:
        """Take the comma between two values."""
        self.take(",")
        if self.peek() in ("]", "}", ","):
            raise self.error("malformed JSON (a comma too many)", TAKE_COMMA_OUT)

    def key(self) -> str:
        """Take a key of an object and the colon after it."""
        key = self.value()
        if not isinstance(key, str):
            raise self.error("malformed JSON (a key is not a text)")
        self.take(":")
        return key

    def entry(self) -> Any:
        """Take one entry and count it."""
        value = self._entry()
        self.position += 1
        return value

    def _entry(self) -> Any:
        """Take one entry, with the fast parser if possible."""
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
        """Take one complete JSON value, reading more text while the window cuts it off."""
        self.peek()
        while True:
            try:
                value, end = self.decode(self.text, self.at)
            except json.JSONDecodeError as error:
                if not self._may_be_cut(error) or not self.grow():
                    raise self._malformed(error) from error
                if len(self.text) - self.at > MAX_ENTRY_CHARS:
                    raise self.error(f"an entry longer than {MAX_ENTRY_CHARS >> 20} MiB", TAKE_OUT) from error
                continue
            except (RecursionError, ValueError) as error:
                raise self.error(f"malformed JSON ({error})") from error
            # A number near the end of the window may continue after it: `1` could be the start of `1.5e3`.
            if end <= len(self.text) - CUT_MARGIN_CHARS or not self.grow():
                self.at = end
                return value

    def _malformed(self, error: json.JSONDecodeError) -> UserError:
        """Return an error that names the likely cause."""
        start = max(error.pos - CONTEXT_CHARS, 0)
        for comma in COMMA_TOO_MANY.finditer(self.text, start, error.pos + CONTEXT_CHARS):
            if comma.start() <= error.pos < comma.end():
                return self.error("malformed JSON (a comma too many)", TAKE_COMMA_OUT)
        return self.error(f"malformed JSON ({error.msg})")

    def _may_be_cut(self, error: json.JSONDecodeError) -> bool:
        return error.msg.startswith("Unterminated string") or error.pos >= len(self.text) - CUT_MARGIN_CHARS
