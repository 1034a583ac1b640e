"""Heatmaps with a number in each cell."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from polyfacet.reporting.plots.style import SEQUENTIAL, Spec, axis, layout, listed, shown

CELL_HEIGHT = 22
# Height of the tick labels below, of the margin above, px.
BELOW, ABOVE = 96, 16
# Where colours are dark: share of the range of a sequential scale, distance from the middle of a diverging
# one.
DARK_BELOW, DARK_ENDS = 0.5, 0.4


def heatmap(
    values: pd.DataFrame,
    limits: tuple[float, float],
    title: str,
    width: int,
    *,
    texts: pd.DataFrame | None = None,
    hover: pd.DataFrame | None = None,
    scale: str | Sequence[Any] = SEQUENTIAL,
) -> Spec:
    """Draw a table of numbers as colours.

    Parameters
    ----------
    values
        Numbers; the index and the columns are the labels.
    limits
        Numbers of the first and the last colour; others are drawn in the nearest one.
    title
        What the colours mean; empty for no scale beside the figure.
    width
        Width of the figure, px.
    texts, hover
        Texts in the cells and texts shown at the pointer, of the same shape as ``values``.
    scale
        Colours.
    """
    labels = [shown(str(label), 40) for label in values.columns]
    rows = [shown(str(label), 48) for label in values.index]
    numbers = values.to_numpy(dtype=float)
    colors: Spec = {
        "type": "heatmap",
        "z": [listed(row) for row in numbers],
        "x": list(range(len(labels))),
        "y": list(range(len(rows))),
        "zmin": limits[0],
        "zmax": limits[1],
        "colorscale": scale,
        "xgap": 1,
        "ygap": 1,
        "hoverongaps": False,
        "showscale": title != "",
        "colorbar": {"title": {"text": title, "side": "right"}, "thickness": 12, "outlinewidth": 0},
        "customdata": _texts(values.map(lambda value: f"{value:.4g}") if hover is None else hover),
        "hovertemplate": "%{customdata}<extra></extra>",
    }
    plain = values.map(lambda value: "" if np.isnan(value) else f"{value:.2f}")
    return {
        "data": [
            colors,
            _labels(numbers, plain if texts is None else texts, limits, is_diverging=limits[0] < 0),
        ],
        "layout": layout(
            width,
            ABOVE + BELOW + CELL_HEIGHT * max(len(rows), 2),
            margin={"l": 60, "r": 10, "t": ABOVE, "b": 40},
            plot_bgcolor="#d5d9de",
            showlegend=False,
            xaxis=axis(
                tickmode="array",
                tickvals=list(range(len(labels))),
                ticktext=labels,
                tickangle=-35,
                showgrid=False,
                range=[-0.5, len(labels) - 0.5],
            ),
            yaxis=axis(
                tickmode="array",
                tickvals=list(range(len(rows))),
                ticktext=rows,
                range=[len(rows) - 0.5, -0.5],
                showgrid=False,
                tickfont={"size": 11},
            ),
        ),
    }


def _labels(
    numbers: NDArray[np.float64], texts: pd.DataFrame, limits: tuple[float, float], *, is_diverging: bool
) -> Spec:
    """Write the texts, black or white, whichever is easier to read on the colour below."""
    share = (numbers - limits[0]) / (limits[1] - limits[0])
    dark = np.abs(share - 0.5) > DARK_ENDS if is_diverging else share < DARK_BELOW
    places = [(i, j) for i in range(numbers.shape[0]) for j in range(numbers.shape[1])]
    return {
        "type": "scatter",
        "mode": "text",
        "x": [j for _, j in places],
        "y": [i for i, _ in places],
        "text": [shown(str(texts.iat[i, j])) for i, j in places],
        "textfont": {"size": 11, "color": ["#ffffff" if dark[place] else "#000000" for place in places]},
        "hoverinfo": "skip",
    }


def _texts(values: pd.DataFrame) -> list[list[str]]:
    return [[shown(str(value), 400).replace("\n", "<br>") for value in row] for row in values.to_numpy()]
