"""Text from outside in Markdown: it shows as it is, and nothing in it becomes a link or a mention."""

import re

import pytest
from markdown_it import MarkdownIt

from polyfacet.runtime.markdown import WORD_JOINER, plain

# What GitHub makes a link of, after "Autolinks (extension)" of the GitHub Flavored Markdown Spec, its
# mentions and its references; sought in the rendered text, as GitHub does for all but the first two.
AUTOLINKS = re.compile(
    r"(?:https?|ftp)://|www\.\w|[\w.+-]+@[\w-]+\.\w|(?:mailto|xmpp):\w|(?<![\w`])@\w|#\d|\bGH-\d",
    re.IGNORECASE,
)
# What GitHub makes a picture of, sought in the rendered text as well.
SHORTCODES = re.compile(r":[\w+-]+:")


def rendered(text: str) -> str:
    """Render a paragraph, which must have no markup; return its text."""
    html = MarkdownIt("commonmark").render(plain(text)).strip()
    inside = html.removeprefix("<p>").removesuffix("</p>")
    assert "<" not in inside
    for entity, character in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&amp;", "&")):
        inside = inside.replace(entity, character)
    return inside


@pytest.mark.parametrize(
    "text",
    [
        "see https://example.org/a?b=c for more",
        "HTTP://EXAMPLE.ORG",
        "ftp://example.org",
        "www.example.org",
        "WWW.example.org",
        "(www.example.org)",
        "someone@example.org",
        "a.b+c@d-e.example",
        "mailto:someone@example.org",
        "xmpp:someone@example.org/room",
        "@someone and @some/team",
        "issue #12, GH-12, owner/repository#12",
        "<https://example.org>",
        "[text](https://example.org)",
        "![picture](http://example.org/a.png)",
        "- a",
        "+ a",
        "-",
        "1. a",
        "12) a",
        "- - -",
        "---",
        "> a",
        "=====",
        ":smile:",
        "a:+1: b :e-mail: :non-potable_water:",
        ":a:b:c:",
        "`code` *a* _b_ ~~c~~ | <b>d</b> &amp; \\ #e",
    ],
)
def test_a_text_shows_as_it_is_and_nothing_links(text):
    shown = rendered(text)
    assert shown.replace(WORD_JOINER, "") == text
    assert not AUTOLINKS.search(shown)
    assert not SHORTCODES.search(shown)


@pytest.mark.parametrize("text", ["===", "---", "- a", "+ a", "1. a", "# a", "> a", "| a | b |"])
def test_a_text_in_a_line_of_its_own_does_not_change_the_one_above(text):
    html = MarkdownIt("commonmark").render(f"above\n{plain(text)}\n")
    assert set(re.findall(r"<(\w+)", html)) == {"p"}


def test_a_text_without_addresses_has_nothing_added():
    assert plain("line 3, 99.5 %: T is missing") == "line 3, 99.5 %: T is missing"
    assert plain("-1.5 eV: 3.2 and 1.0") == "-1.5 eV: 3.2 and 1.0"
    assert plain("at 12:30:15, a - b + c = d") == "at 12:30:15, a - b + c = d"
