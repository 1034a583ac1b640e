"""Deletion curves, and what matters most, side by side."""

from collections.abc import Sequence

import pandas as pd

from polyfacet.reporting.plots.style import GREY, HALF, PALETTE, Spec, axis, layout, listed, shown

HEIGHT = 380
ORDERS = {"explained": PALETTE[0], "random": GREY}


def deletion_curves(curves: pd.DataFrame, title: str) -> Spec:
    """Draw how far predictions fall if more and more is hidden.

    Parameters
    ----------
    curves
        Columns ``order``, ``hidden``, ``fall``, ``low`` and ``high``.
    title
        What the fall is, with its unit.
    """
    traces = []
    for order, color in ORDERS.items():
        own = curves[curves["order"] == order]
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": order,
                "x": listed(own["hidden"]),
                "y": listed(own["fall"]),
                "line": {"color": color},
                "error_y": _error(own, "fall"),
            }
        )
    return {
        "data": traces,
        "layout": layout(
            HALF,
            HEIGHT,
            showlegend=True,
            xaxis=axis("share hidden", tickformat=".0%", range=[0, 1]),
            yaxis=axis(title, zeroline=True, zerolinecolor="#52606d"),
            margin={"l": 60, "r": 20, "t": 40, "b": 50},
        ),
    }


def importance_bars(rows: pd.DataFrame, names: Sequence[str], title: str) -> Spec:
    """Draw importances with their intervals.

    Parameters
    ----------
    rows
        Columns ``importance``, ``low`` and ``high``, the most important first.
    names
        Their names in the figure.
    title
        What the importance is, with its unit.
    """
    return {
        "data": [
            {
                "type": "bar",
                "orientation": "h",
                "y": [shown(name, 40) for name in names],
                "x": listed(rows["importance"]),
                "marker": {"color": PALETTE[0]},
                "error_x": _error(rows, "importance"),
                "hovertemplate": "%{y}: %{x:.3g}<extra></extra>",
            }
        ],
        "layout": layout(
            HALF,
            HEIGHT,
            bargap=0.3,
            xaxis=axis(title),
            yaxis=axis(autorange="reversed", showgrid=False, tickfont={"size": 10}),
            margin={"l": 60, "r": 20, "t": 10, "b": 45},
        ),
    }


def _error(rows: pd.DataFrame, value: str) -> Spec:
    """Return the bars of the intervals."""
    return {
        "type": "data",
        "symmetric": False,
        "array": listed(rows["high"] - rows[value]),
        "arrayminus": listed(rows[value] - rows["low"]),
        "color": "#1c2733",
        "thickness": 1,
        "width": 3,
    }
