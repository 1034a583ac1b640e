"""External text in Markdown is shown literally, and nothing in it becomes a link or a mention."""

import re

import pytest
from markdown_it import MarkdownIt

from polyfacet.runtime.markdown import WORD_JOINER, plain, table

# Texts that GitHub turns into links: "Autolinks (extension)" of the GitHub Flavored Markdown Spec, mentions,
# and references; searched in the rendered text, as GitHub does for all but the first two.
AUTOLINKS = re.compile(
    r"(?:https?|ftp)://|www\.\w|[\w.+-]+@[\w-]+\.\w|(?:mailto|xmpp):\w|(?<![\w`])@\w|#\d|\bGH-\d",
    re.IGNORECASE,
)
# Texts that GitHub turns into pictures, also searched in the rendered text.
SHORTCODES = re.compile(r":[\w+-]+:")


def rendered(text: str) -> str:
    """Render a paragraph, which must not contain markup, and return its text."""
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
def test_a_text_is_shown_literally_without_links(text):
    shown = rendered(text)
    assert shown.replace(WORD_JOINER, "") == text
    assert not AUTOLINKS.search(shown)
    assert not SHORTCODES.search(shown)


@pytest.mark.parametrize("text", ["===", "---", "- a", "+ a", "1. a", "# a", "> a", "| a | b |"])
def test_a_text_on_its_own_line_does_not_change_the_line_above(text):
    html = MarkdownIt("commonmark").render(f"above\n{plain(text)}\n")
    assert set(re.findall(r"<(\w+)", html)) == {"p"}


def test_a_text_without_addresses_is_unchanged():
    assert plain("line 3, 99.5 %: T is missing") == "line 3, 99.5 %: T is missing"
    assert plain("-1.5 eV: 3.2 and 1.0") == "-1.5 eV: 3.2 and 1.0"
    assert plain("at 12:30:15, a - b + c = d") == "at 12:30:15, a - b + c = d"


def read_table(text: str) -> tuple[list[list[str]], list[str]]:
    """Return the cells of a rendered table, line by line, and the alignment of its columns."""
    html = MarkdownIt("commonmark").enable("table").render(text)
    lines = [
        re.findall(r"<t[hd](?:\s[^>]*)?>(.*?)</t[hd]>", line)
        for line in re.findall(r"(?s)<tr>.*?</tr>", html)
    ]
    heads = re.findall(r"<th(?:\s[^>]*)?>", html)
    aligned = ["right" if "text-align:right" in head else "left" for head in heads]
    assert re.sub(r"(?s)<table>.*</table>", "", html).strip() == ""
    return lines, aligned


def test_table_cells_are_in_their_columns():
    cells, aligned = read_table(table(["method", "a", "b"], [["`x`", "1.50", ""], ["y", "-", "**2** †"]]))
    assert cells == [
        ["method", "a", "b"],
        ["<code>x</code>", "1.50", ""],
        ["y", "-", "<strong>2</strong> †"],
    ]
    assert aligned == ["left", "right", "right"]


@pytest.mark.parametrize("n_left", [0, 1, 2])
def test_a_table_without_rows_keeps_its_head_and_the_alignment_of_its_columns(n_left):
    cells, aligned = read_table(table(["a", "b"], [], n_left))
    assert cells == [["a", "b"]]
    assert aligned == ["left"] * n_left + ["right"] * (2 - n_left)


def test_bars_and_line_breaks_in_texts_do_not_add_cells_or_rows():
    cells, _ = read_table(table([plain("name | a"), "n"], []))
    assert cells == [["name | a", "n"]]
    cells, _ = read_table(table(["name", "n"], [[plain("a | b\n| c"), "1"]]))
    assert cells[1] == ["a | b | c", "1"]
