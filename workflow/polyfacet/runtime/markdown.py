"""Markdown: tables, and escaping of external text."""

import html
import re
from collections.abc import Sequence

MAX_CHARS = 300
SPECIAL = re.compile(r"([\\`*_\[\]|!#$~])")
# The beginning of a line that would turn it into a list, a rule or a heading: the digits before the character
# to escape, and this character.
BEGINNING = re.compile(r"^(\d*)(?=[-+.)](?:\s|$)|[-=]+$)([-+=.)])")
# GitHub turns addresses, e-mail addresses, @names and issue numbers into links, and :names: into pictures. It
# does so in the rendered text, where a backslash no longer has an effect; an invisible character does
# (U+2060, WORD JOINER).
WORD_JOINER = "\u2060"
PICTURE = r":(?=(?:[\w+-]*[a-z][\w+-]*|[+-]1|100|1234):)"
LINKED = re.compile(
    rf"(@|:(?=//)|{PICTURE}|www(?=\.)|#(?=\w)|\bGH(?=-[0-9])|(?:mailto|xmpp):)", re.IGNORECASE
)


def plain(text: str) -> str:
    """Escape a text so that it is shown literally, on one line: no Markdown, HTML or links take effect."""
    line = " ".join(text.split())
    cut = line if len(line) <= MAX_CHARS else f"{line[:MAX_CHARS]}..."
    escaped = SPECIAL.sub(r"\\\1", LINKED.sub(rf"\1{WORD_JOINER}", html.escape(cut, quote=False)))
    return BEGINNING.sub(r"\1\\\2", escaped)


def table(head: Sequence[str], rows: Sequence[Sequence[str]], n_left: int = 1) -> str:
    """Return a table without padded cells, so that a change of one cell changes only one line.

    Parameters
    ----------
    head, rows
        Texts of the cells, in Markdown.
    n_left
        Number of leading columns that are left-aligned; the others are right-aligned.
    """
    rule = ["---"] * n_left + ["---:"] * (len(head) - n_left)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *rows))
