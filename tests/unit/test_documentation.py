"""The documents: links, figures, and what they refer to."""

import re
from collections.abc import Iterator
from fnmatch import filter as matching
from functools import cache
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from mdit_py_plugins.anchors.index import slugify
from project import PROJECT

from polyfacet.use import architecture_figures

PAGES = sorted((PROJECT / "docs").glob("*.md"))
FOLDERS = (".", "docs", "config", "profiles", "embedded")
DOCUMENTS = sorted(page for folder in FOLDERS for page in (PROJECT / folder).glob("*.md"))
MAX_README_LINES = 120
MAX_PICTURE_BYTES = 300_000
ELSEWHERE = re.compile(r"(https?:)?//|mailto:")
# Things that readers elsewhere do not have or need not do.
NOT_FOR_READERS = re.compile(r"PYTHONPATH|\.\./shared|/home/|/work/|/root/")
# Tests that documents refer to; "..." abbreviates a name.  Paths of runs have such names, too.
TEST_FILE = re.compile(r"\btest_\w+\.py\b")
TEST_FUNCTION = re.compile(r"(?<![\w/])test_\w++(?:\.{3})?(?!\.\w)")


def links(document: Path) -> Iterator[str]:
    """Yield the targets of all links and pictures of a document."""
    for block in MarkdownIt("commonmark").enable("table").parse(document.read_text(encoding="utf-8")):
        for token in block.children or []:
            if token.type in ("link_open", "image"):
                yield str(token.attrs["src" if token.type == "image" else "href"])


def anchors(document: Path) -> set[str]:
    """Return the anchors of the headings of a document."""
    tokens = MarkdownIt("commonmark").enable("table").parse(document.read_text(encoding="utf-8"))
    headings = [tokens[i + 1] for i, token in enumerate(tokens) if token.type == "heading_open"]
    return {slugify("".join(part.content for part in heading.children or [])) for heading in headings}


def broken(document: Path) -> list[str]:
    """List the links of a document to missing files and headings."""
    missing = []
    for link in links(document):
        if ELSEWHERE.match(link):
            continue
        name, _, anchor = link.partition("#")
        target = (document.parent / name).resolve() if name else document
        if not target.exists() or (anchor and anchor not in anchors(target)):
            missing.append(link)
    return missing


@cache
def existing_tests() -> list[str]:
    """List the names of all test files and test functions."""
    names = []
    for file in (PROJECT / "tests").rglob("test_*.py"):
        functions = re.findall(r"^ *def (test_\w+)\(", file.read_text(encoding="utf-8"), re.MULTILINE)
        names += [file.name, *functions]
    return names


def missing_tests(text: str) -> list[str]:
    """List the test files and functions that a text refers to and that do not exist."""
    existing = existing_tests()
    referred_to = [*TEST_FILE.findall(text), *TEST_FUNCTION.findall(text)]
    return [name for name in referred_to if not matching(existing, name.replace("...", "*"))]


def named(document: Path) -> str:
    return document.relative_to(PROJECT).as_posix()


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_links_resolve(document):
    assert broken(document) == []


def test_a_broken_link_is_found(tmp_path):
    document = tmp_path / "page.md"
    document.write_text(
        "# A page\n\n[a](gone.md) [b](#a-page) [c](#gone) ![d](gone.png) [e](https://example.org)\n"
    )
    assert broken(document) == ["gone.md", "#gone", "gone.png"]


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_documents_name_existing_tests(document):
    assert missing_tests(document.read_text(encoding="utf-8")) == []


def test_a_missing_test_is_found():
    text = (
        "`test_links_resolve`, `test_links_...`, `test_gone`, `test_gone_...`, `tests/unit/test_gone.py`, "
        "tests/unit/test_documentation.py, `config/test_tables.yaml`, `train_test_split`"
    )
    assert missing_tests(text) == ["test_gone.py", "test_gone", "test_gone_..."]


@pytest.mark.parametrize("document", DOCUMENTS, ids=named)
def test_documents_contain_nothing_local(document):
    assert NOT_FOR_READERS.findall(document.read_text(encoding="utf-8")) == []


def test_the_readme_is_short_and_has_one_picture():
    readme = PROJECT / "README.md"
    assert len(readme.read_text(encoding="utf-8").splitlines()) <= MAX_README_LINES
    (picture,) = [link for link in links(readme) if link.endswith((".png", ".svg"))]
    assert (PROJECT / picture).stat().st_size <= MAX_PICTURE_BYTES


def test_the_index_leads_to_every_page():
    index = PROJECT / "docs" / "index.md"
    assert {link.partition("#")[0] for link in links(index)} == {page.name for page in PAGES} - {index.name}


def test_the_figure_of_the_packages_is_current():
    drawn = (architecture_figures.FIGURES / architecture_figures.PACKAGES).read_text()
    assert architecture_figures.figure_of_packages() == drawn, architecture_figures.__doc__
