"""Files without content: white space, or documents without entries."""

import re
from contextlib import suppress
from pathlib import Path

from polyfacet.runtime.errors import UserError
from polyfacet.sources.file_text import FileText, UnreadableTextError

# Maximum number of characters examined; a longer file is read like any other.
MAX_BLANK_CHARS = 1 << 16
# Files that were joined may have byte order marks anywhere.
_BLANK = r"[\s\ufeff]*"
_NOTHING = rf"\[{_BLANK}\]|\{{{_BLANK}\}}"
_DOCUMENT = rf"{_NOTHING}|\{{{_BLANK}\"entries\"{_BLANK}:{_BLANK}(?:{_NOTHING}){_BLANK}\}}"
_DOCUMENTS = re.compile(rf"{_BLANK}(?:(?:{_DOCUMENT}){_BLANK})*")


def why_empty(path: Path) -> str | None:
    """Return why a file without entries is empty; None if it may have entries or cannot be read."""
    with suppress(UserError, UnreadableTextError), FileText(path) as content:
        text = content.read(MAX_BLANK_CHARS + 1)
        if len(text) > MAX_BLANK_CHARS or not _DOCUMENTS.fullmatch(text):
            return None
        documents = re.sub(_BLANK, "", text)
        return f"empty (nothing but {documents[:40]})" if documents else "empty (nothing but white space)"
    return None
