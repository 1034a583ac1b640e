"""Text from outside in a Markdown document."""

import html
import re

MAX_CHARS = 300
SPECIAL = re.compile(r"([\\`*_\[\]|!#$~])")


def plain(text: str) -> str:
    """Make a text show as it is, in one line: no markup of Markdown or HTML in it has an effect."""
    line = " ".join(text.split())
    cut = line if len(line) <= MAX_CHARS else f"{line[:MAX_CHARS]}..."
    return SPECIAL.sub(r"\\\1", html.escape(cut, quote=False))
