"""Numbers of elements on the periodic table."""

from collections.abc import Mapping

from pymatgen.core.periodic_table import Element

from polyfacet.elements.symbols import SYMBOLS
from polyfacet.reporting.plots.style import HALF, SEQUENTIAL, Spec, layout, listed, shown

N_GROUPS, N_ROWS = 18, 9


def _position(element: Element) -> tuple[int, int]:
    """Return row and column of an element; lanthanides and actinides are below the others."""
    for first, row in ((57, 8), (89, 9)):
        if first <= element.Z < first + 15:
            return row, element.Z - first + 3
    return element.row, element.group


POSITIONS = {
    element.symbol: _position(element) for element in sorted(map(Element, SYMBOLS), key=lambda own: own.Z)
}


def periodic_table(
    values: Mapping[str, float], hover: Mapping[str, str], limits: tuple[float, float], title: str
) -> Spec:
    """Draw a number of each element as a colour.

    Parameters
    ----------
    values
        Symbol to number.
    hover
        Symbol to the text at the pointer.
    limits
        Numbers of the first and the last colour.
    title
        What the colours mean.
    """
    known = [symbol for symbol in POSITIONS if symbol in values]
    grid: list[list[float | None]] = [[None] * N_GROUPS for _ in range(N_ROWS)]
    said = [[""] * N_GROUPS for _ in range(N_ROWS)]
    for symbol, number in zip(known, listed([values[symbol] for symbol in known]), strict=True):
        row, group = POSITIONS[symbol]
        grid[row - 1][group - 1] = number
        said[row - 1][group - 1] = shown(hover[symbol], 200)
    heat: Spec = {
        "type": "heatmap",
        "z": grid,
        "x": list(range(1, N_GROUPS + 1)),
        "y": list(range(1, N_ROWS + 1)),
        "customdata": said,
        "hovertemplate": "%{customdata}<extra></extra>",
        "hoverongaps": False,
        "zmin": limits[0],
        "zmax": limits[1],
        "colorscale": SEQUENTIAL,
        "xgap": 2,
        "ygap": 2,
        "colorbar": {"title": {"text": title, "side": "right"}, "thickness": 10, "outlinewidth": 0},
    }
    return {
        "data": [_empty_tiles(), heat, _symbols(set(known), values, limits)],
        "layout": layout(
            HALF,
            270,
            showlegend=False,
            margin={"l": 5, "r": 5, "t": 10, "b": 5},
            xaxis={"visible": False, "range": [0.4, N_GROUPS + 0.6]},
            yaxis={"visible": False, "range": [N_ROWS + 0.6, 0.4]},
        ),
    }


def _empty_tiles() -> Spec:
    """Draw a light tile for every element, so that the table is recognized where elements are missing."""
    grid: list[list[int | None]] = [[None] * N_GROUPS for _ in range(N_ROWS)]
    for row, group in POSITIONS.values():
        grid[row - 1][group - 1] = 0
    return {
        "type": "heatmap",
        "z": grid,
        "x": list(range(1, N_GROUPS + 1)),
        "y": list(range(1, N_ROWS + 1)),
        "colorscale": [[0, "#eef1f4"], [1, "#eef1f4"]],
        "showscale": False,
        "xgap": 2,
        "ygap": 2,
        "hoverinfo": "skip",
    }


def _symbols(known: set[str], values: Mapping[str, float], limits: tuple[float, float]) -> Spec:
    middle = (limits[0] + limits[1]) / 2
    colors = [
        "#9aa5b1" if symbol not in known else "#ffffff" if values[symbol] < middle else "#1c2733"
        for symbol in POSITIONS
    ]
    return {
        "type": "scatter",
        "mode": "text",
        "x": [group for _, group in POSITIONS.values()],
        "y": [row for row, _ in POSITIONS.values()],
        "text": list(POSITIONS),
        "textfont": {"size": 10, "color": colors},
        "hoverinfo": "skip",
    }
