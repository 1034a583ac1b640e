"""Find parts of a text that a tokenizer drops silently, without even an unknown token."""

import re
import unicodedata
from collections.abc import Iterator, Sequence

_WORD = re.compile(r"\S+")
# Marks (accents), control characters and separators: tokenizers strip them and keep the word.
_PASSED_BY = frozenset("MCZ")


def dropped_words(text: str, places: Sequence[tuple[int, int]]) -> list[str]:
    """List the words of a text that tokens represent only in part or not at all.

    Parameters
    ----------
    text
        The text.
    places
        Start and end of the characters that each token represents.

    Returns
    -------
    list of str
        The word around each stretch without a token; a text without any token counts as at least one word.
    """
    if not places and not _is_visible(text):
        return [text]
    return [
        _word_around(text, stretch)
        for gap in _gaps(places, len(text))
        for stretch in _WORD.finditer(text, *gap)
        if _is_visible(stretch[0])
    ]


def _gaps(places: Sequence[tuple[int, int]], length: int) -> Iterator[tuple[int, int]]:
    reached = 0
    for start, end in sorted(places):
        if start > reached:
            yield reached, start
        reached = max(reached, end)
    if length > reached:
        yield reached, length


def _is_visible(text: str) -> bool:
    return any(unicodedata.category(character)[0] not in _PASSED_BY for character in text)


def _word_around(text: str, stretch: re.Match[str]) -> str:
    """Return the complete word; tokenizers count the characters of the remainder from the word's start."""
    before = text[: stretch.start()]
    start = len(before) - len(before.split()[-1]) if before and not before[-1].isspace() else len(before)
    word = _WORD.match(text, start)
    return word[0] if word else ""
