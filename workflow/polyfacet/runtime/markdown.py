"""Markdown: tables, and text from outside that has no effect in them."""

import html
import re
from collections.abc import Sequence

MAX_CHARS = 300
SPECIAL = re.compile(r"([\\`*_\[\]|!#$~])")
# A beginning that makes a list, a line or a heading of a text, if that is at the beginning of its line: what
# stands before the character to escape, and this character.
BEGINNING = re.compile(r"^(\d*)(?=[-+.)](?:\s|$)|[-=]+$)([-+=.)])")
# GitHub makes links of addresses, e-mail addresses, @names and issue numbers, and pictures of :names:, and
# does so in the finished text, where a backslash has no effect any more; an invisible character has (U+2060,
# WORD JOINER).
WORD_JOINER = "\u2060"
PICTURE = r":(?=(?:[\w+-]*[a-z][\w+-]*|[+-]1|100|1234):)"
LINKED = re.compile(
    rf"(@|:(?=//)|{PICTURE}|www(?=\.)|#(?=\w)|\bGH(?=-[0-9])|(?:mailto|xmpp):)", re.IGNORECASE
)


def plain(text: str) -> str:
    """Make a text show as it is, in one line: no Markdown or HTML in it has an effect, and nothing links."""
    line = " ".join(text.split())
    cut = line if len(line) <= MAX_CHARS else f"{line[:MAX_CHARS]}..."
    escaped = SPECIAL.sub(r"\\\1", LINKED.sub(rf"\1{WORD_JOINER}", html.escape(cut, quote=False)))
    return BEGINNING.sub(r"\1\\\2", escaped)


def table(head: Sequence[str], rows: Sequence[Sequence[str]], n_left: int = 1) -> str:
    """Write a table, cells not padded: a change of one cell is a change of one line, however long the others.

    Parameters
    ----------
    head, rows
        Texts of the cells, Markdown already.
    n_left
        Number of first columns that are aligned to the left; the others are aligned to the right.
    """
    rule = ["---"] * n_left + ["---:"] * (len(head) - n_left)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *rows))
