"""Read the page of a report: its sections, tables, figures."""

import json
from functools import cached_property
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

EMPTY = frozenset({"meta", "link", "img", "input", "br", "hr"})


class ReportPage(HTMLParser):
    """A parsed page.

    Parameters
    ----------
    html
        The page.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.html = html
        # Tags in order, with their attributes.
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.tables: dict[str, list[list[str]]] = {}
        self._open: list[str] = []
        self._section = ""
        self._sections: dict[str, list[str]] = {}
        self._table = ""
        self._scripts: dict[str, list[str]] = {}
        self._script = ""
        self.feed(html)
        self.close()

    @classmethod
    def of(cls, path: Path) -> "ReportPage":
        """Read a file."""
        return cls(path.read_text(encoding="utf-8"))

    @property
    def unclosed(self) -> list[str]:
        """Tags that were opened and not closed."""
        return self._open

    @cached_property
    def sections(self) -> dict[str, str]:
        """Section to its text, with single spaces."""
        return {name: " ".join("".join(texts).split()) for name, texts in self._sections.items()}

    @property
    def text(self) -> str:
        """Text of all sections."""
        return "\n".join(self.sections.values())

    @cached_property
    def figures(self) -> dict[str, Any]:
        """Figure to its specification."""
        return dict(json.loads("".join(self._scripts["specs"])))

    def rows(self, table: str) -> list[str]:
        """Return the rows of a table, with cells joined by a bar."""
        return [" | ".join(cell.strip() for cell in row) for row in self.tables[table]]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        found = {name: value or "" for name, value in attrs}
        self.tags.append((tag, found))
        if tag not in EMPTY:
            self._open.append(tag)
        if tag == "section":
            self._section = found["id"]
            self._sections[self._section] = []
        elif tag == "div" and found.get("class") == "table":
            self._table = found["id"]
            self.tables[self._table] = []
        elif tag == "tr" and self._table:
            self.tables[self._table].append([])
        elif tag in ("th", "td") and self._table:
            self.tables[self._table][-1].append("")
        elif tag == "script":
            self._script = found.get("id", "code")
        self._write(" ")

    def handle_endtag(self, tag: str) -> None:
        """Close a tag."""
        assert self._open.pop() == tag
        if tag == "section":
            self._section = ""
        elif tag == "table":
            self._table = ""

    def handle_data(self, data: str) -> None:
        """Note a text."""
        if self._open and self._open[-1] == "script":
            self._scripts.setdefault(self._script, []).append(data)
            return
        self._write(data)

    def _write(self, data: str) -> None:
        if self._section:
            self._sections[self._section].append(data)
        if self._table and {"th", "td"} & set(self._open):
            self.tables[self._table][-1][-1] += data
