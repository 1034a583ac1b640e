"""Sections as one HTML page that needs no other file."""

import json
from collections.abc import Iterable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from polyfacet.reporting.page.parts import MAX_ROWS, Figure, Section

TEMPLATES = Path(__file__).parent / "templates"
# Characters that could end a script element, or that JavaScript reads as line ends.
_ESCAPED = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def plotly_js() -> str:
    """Return the code of plotly.js, which the package plotly brings."""
    return files("plotly").joinpath("package_data", "plotly.min.js").read_text(encoding="utf-8")


def render(title: str, sections: Sequence[Section], exported: Iterable[str] = ()) -> str:
    """Write a page.

    Parameters
    ----------
    title
        Title of the page.
    sections
        Sections, in order.
    exported
        Names of the figures that also exist as PNG and SVG.
    """
    figures = [figure for section in sections for figure in section.figures]
    page = _environment().get_template("page.html.j2")
    return page.render(
        title=title,
        sections=sections,
        plotly=plotly_js() if figures else "",
        specs=script_json(specs_of(figures)),
        exported=frozenset(exported),
        max_rows=MAX_ROWS,
    )


def specs_of(figures: Iterable[Figure]) -> dict[str, Any]:
    """Return the specifications of figures by name.

    Raises
    ------
    ValueError
        If two figures have the same name.
    """
    found: dict[str, Any] = {}
    for figure in figures:
        if figure.name in found:
            raise ValueError(f"two figures are called {figure.name}")
        found[figure.name] = figure.spec
    return found


def script_json(value: Any) -> str:
    """Write JSON that can be put into a script element, whatever texts it has."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character, escaped in _ESCAPED.items():
        text = text.replace(character, escaped)
    return text


def _environment() -> Environment:
    # Texts of users are in it: everything is escaped that is not marked.
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
