"""The documentation site builds offline and loads nothing from elsewhere."""

import re
import subprocess
import sys

from project import PROJECT

PAGES = sorted((PROJECT / "docs").glob("*.md"))
# Loads something when a page is opened, unlike a link, which a reader follows.
LOADED = re.compile(
    r"""<(?:script|img|iframe|source|video|audio|embed)\b[^>]*\bsrc\s*=\s*["']?(?:https?:)?//[^>]*"""
    r"""|<link\b[^>]*\bhref\s*=\s*["']?(?:https?:)?//[^>]*"""
    r"""|@import\s+(?:url\()?["']?(?:https?:)?//[^;]*"""
    r"""|url\(\s*["']?(?:https?:)?//[^)]*"""
)


def test_the_site_builds_without_warnings_and_loads_nothing_from_elsewhere(tmp_path):
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-W",
        "--keep-going",
        "-b",
        "html",
        "-d",
        tmp_path / "doctrees",
    ]
    done = subprocess.run(
        [*command, PROJECT / "docs", tmp_path / "html"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-5000:]
    pages = {path.stem for path in (tmp_path / "html").glob("*.html")}
    assert {page.stem for page in PAGES} <= pages
    loaded = {
        f"{path.relative_to(tmp_path)}: {match[0][:200]}"
        for path in (tmp_path / "html").rglob("*")
        if path.suffix in (".html", ".css", ".svg")
        for match in LOADED.finditer(path.read_text(encoding="utf-8"))
    }
    assert loaded == set()


def test_loaded_addresses_are_distinguished_from_links():
    linked = '<a href="https://example.org">x</a> <script src="_static/a.js"></script>'
    assert not LOADED.search(linked)
    for loaded in (
        '<script src="https://cdn.example.org/a.js">',
        '<link rel="stylesheet" href="//fonts.example.org/a.css">',
        "@import url(https://fonts.example.org/a.css);",
        "src: url('https://fonts.example.org/a.woff2')",
    ):
        assert LOADED.search(loaded)
