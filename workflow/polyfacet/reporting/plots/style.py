"""How all figures look: colours that colour-blind readers can tell apart, fonts, margins."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

# Okabe and Ito (2008), https://jfly.uni-koeln.de/color/; black last.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000", "#F0E442")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "x", "star", "pentagon")
SEQUENTIAL = "Cividis"
GREY = "#8a929c"
GRID = "#e4e7eb"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', Arial, sans-serif"
# Width of a figure that fills the page, and of one of two side by side, px. A page of 1280 px has room for
# them beside a scroll bar.
FULL, HALF = 960, 466

Spec = dict[str, Any]


def layout(width: int, height: int, **changes: Any) -> Spec:
    """Return the layout of a figure of a size in pixels; ``changes`` replaces or adds keys."""
    return {
        "width": width,
        "height": height,
        "font": {"family": FONT, "size": 12, "color": "#1c2733"},
        "margin": {"l": 60, "r": 20, "t": 20, "b": 50},
        "paper_bgcolor": "#ffffff",
        "plot_bgcolor": "#ffffff",
        "hoverlabel": {"font": {"family": FONT}},
        "legend": {"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom", "font": {"size": 11}},
        **changes,
    }


def axis(title: str = "", **changes: Any) -> Spec:
    """Return an axis with a title."""
    return {
        "title": {"text": title, "standoff": 8, "font": {"size": 12}},
        "gridcolor": GRID,
        "zeroline": False,
        "linecolor": "#9aa5b1",
        "ticks": "outside",
        "tickcolor": "#9aa5b1",
        "ticklen": 4,
        "automargin": True,
        **changes,
    }


def shown(text: str, longest: int = 60) -> str:
    """Escape external text: plotly.js would interpret tags in it."""
    cut = text if len(text) <= longest else f"{text[: longest - 1]}…"
    return escape(cut, quote=False)


def listed(values: Iterable[Any], digits: int = 5) -> list[Any]:
    """Return numbers for JSON: rounded to significant digits, missing ones as None."""
    return [
        None if value is None or not np.isfinite(value) else float(f"{float(value):.{digits}g}")
        for value in values
    ]


def colors_of(names: Sequence[str]) -> Mapping[str, str]:
    """Assign a colour to each name."""
    return {name: PALETTE[number % len(PALETTE)] for number, name in enumerate(names)}
