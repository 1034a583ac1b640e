"""Text from outside in a Markdown document."""

import html
import re

MAX_CHARS = 300
SPECIAL = re.compile(r"([\\`*_\[\]|!#$~])")
# GitHub makes links of addresses, e-mail addresses, @names and issue numbers, and does so in the finished
# text, where a backslash has no effect any more; an invisible character has (U+2060, WORD JOINER).
WORD_JOINER = "\u2060"
LINKED = re.compile(r"(@|:(?=//)|www(?=\.)|#(?=\w)|\bGH(?=-[0-9])|(?:mailto|xmpp):)", re.IGNORECASE)


def plain(text: str) -> str:
    """Make a text show as it is, in one line: no Markdown or HTML in it has an effect, and nothing links."""
    line = " ".join(text.split())
    cut = line if len(line) <= MAX_CHARS else f"{line[:MAX_CHARS]}..."
    return SPECIAL.sub(r"\\\1", LINKED.sub(rf"\1{WORD_JOINER}", html.escape(cut, quote=False)))
