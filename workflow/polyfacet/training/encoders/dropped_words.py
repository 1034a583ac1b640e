"""Finds what a tokenizer leaves out of a text without a trace: not even an unknown token stands for it."""

import re
import unicodedata
from collections.abc import Iterator, Sequence

_WORD = re.compile(r"\S+")
# Marks (accents), control characters and separators: tokenizers take them off, and the word remains.
_PASSED_BY = frozenset("MCZ")


def dropped_words(text: str, places: Sequence[tuple[int, int]]) -> list[str]:
    """Name the words of a text that no token stands for, or not as a whole.

    Parameters
    ----------
    text
        The text.
    places
        Start and end of the characters that each token stands for.

    Returns
    -------
    list of str
        The word of each stretch without a token; a text without any token is one at least.
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
    """Return the whole word: of what is left of it, tokenizers count the characters from its start."""
    before = text[: stretch.start()]
    start = len(before) - len(before.split()[-1]) if before and not before[-1].isspace() else len(before)
    word = _WORD.match(text, start)
    return word[0] if word else ""
