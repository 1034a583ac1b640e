"""What a page consists of: sections with paragraphs, lists, tables and figures.

All texts are plain; the templates escape them.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import pandas as pd

from polyfacet.reporting.numbers import number_text

# Longer tables are cut on the page; the CSV has all rows.
MAX_ROWS = 1500


@dataclass(frozen=True)
class Paragraph:
    """A paragraph; a warning stands out."""

    kind: ClassVar[str] = "paragraph"
    text: str
    is_warning: bool = False


@dataclass(frozen=True)
class Heading:
    """A heading inside a section."""

    kind: ClassVar[str] = "heading"
    text: str
    level: int = 3


@dataclass(frozen=True)
class Items:
    """A list."""

    kind: ClassVar[str] = "items"
    texts: Sequence[str]


@dataclass(frozen=True)
class Sentence:
    """What a test says: verdict, claim, and the numbers behind it."""

    verdict: str
    claim: str
    evidence: str


@dataclass(frozen=True)
class Counts:
    """Numbers of objectives by verdict."""

    kind: ClassVar[str] = "counts"
    counts: Mapping[str, int]


@dataclass(frozen=True)
class Verdicts:
    """Sentences with verdicts."""

    kind: ClassVar[str] = "verdicts"
    sentences: Sequence[Sentence]


@dataclass(frozen=True)
class Code:
    """A text in lines, such as a configuration; folded."""

    kind: ClassVar[str] = "code"
    summary: str
    text: str


@dataclass(frozen=True)
class Value:
    """A cell of a table: its text, what it is sorted by, and a picture or a mark."""

    text: str
    sort: float | str
    # Address of a picture (``data:...``), shown instead of the text.
    picture: str = ""

    @property
    def is_number(self) -> bool:
        """Whether it is aligned as a number."""
        return isinstance(self.sort, float)


@dataclass(frozen=True)
class Table:
    """A table that can be sorted by each column.

    Attributes
    ----------
    name
        Identifier on the page.
    caption
        What it shows, and on how many rows.
    head
        Headings.
    rows
        Cells of each row.
    files
        Names of the tables (without ``.csv``) that hold these numbers.
    """

    kind: ClassVar[str] = "table"
    name: str
    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[Value]]
    files: Sequence[str] = ()

    @property
    def shown(self) -> Sequence[Sequence[Value]]:
        """The rows on the page."""
        return self.rows[:MAX_ROWS]


@dataclass(frozen=True)
class Figure:
    """A figure.

    Attributes
    ----------
    name
        Identifier on the page and name of its files.
    title
        Title, part of the caption.
    caption
        What it shows, and on how many rows.
    spec
        Specification for plotly.js: ``data`` and ``layout``, which has the size in pixels.
    files
        Names of the tables (without ``.csv``) that hold its numbers.
    """

    kind: ClassVar[str] = "figure"
    name: str
    title: str
    caption: str
    spec: Mapping[str, Any]
    files: Sequence[str] = ()


@dataclass(frozen=True)
class Gallery:
    """Figures side by side."""

    kind: ClassVar[str] = "gallery"
    figures: Sequence[Figure]


@dataclass(frozen=True)
class Picture:
    """A picture that is part of the page."""

    kind: ClassVar[str] = "picture"
    name: str
    caption: str
    alt: str
    address: str


Part = Paragraph | Heading | Items | Counts | Verdicts | Code | Table | Figure | Gallery | Picture


@dataclass(frozen=True)
class Section:
    """A section of the page.

    Attributes
    ----------
    name
        Identifier.
    title
        Heading.
    lead
        One sentence on what the section is and is not.
    parts
        Content.
    """

    name: str
    title: str
    lead: str
    parts: Sequence[Part]

    @property
    def figures(self) -> list[Figure]:
        """All figures of the section."""
        found: list[Figure] = []
        for part in self.parts:
            if isinstance(part, Figure):
                found.append(part)
            elif isinstance(part, Gallery):
                found.extend(part.figures)
        return found


def text(value: Any) -> Value:
    """Return a cell with a text."""
    shown = "" if pd.isna(value) else str(value)
    return Value(shown, shown.lower())


def number(value: Any, form: str = ".3g", after: str = "") -> Value:
    """Return a cell with a number; missing numbers are shown as n/a and sorted last.

    Parameters
    ----------
    value
        Number, NaN or None.
    form
        Format of the number.
    after
        Text after a number that is not missing.
    """
    if value is None or math.isnan(value):
        return Value("n/a", math.inf)
    return Value(number_text(float(value), form) + after, float(value))


def count(value: Any) -> Value:
    """Return a cell with an integer."""
    return number(value, ",.0f")


def interval(low: Any, high: Any, form: str = ".3f") -> Value:
    """Return a cell with the limits of an interval, sorted by its width."""
    if low is None or high is None or math.isnan(low) or math.isnan(high):
        return Value("n/a", math.inf)
    return Value(f"{low:{form}} to {high:{form}}", float(high - low))


def span(values: Sequence[Any]) -> Value:
    """Return a cell with the smallest and the largest of some counts."""
    known = [int(value) for value in values if pd.notna(value)]
    if not known:
        return Value("n/a", math.inf)
    low, high = min(known), max(known)
    return Value(f"{low:,}" if low == high else f"{low:,} to {high:,}", float(low))
