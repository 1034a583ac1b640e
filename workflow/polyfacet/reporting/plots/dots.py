"""Dots by objective, one colour per method: coverage of intervals, and costs."""

from collections.abc import Mapping

import pandas as pd

from polyfacet.reporting.plots.style import FULL, SYMBOLS, Spec, axis, colors_of, layout, listed, shown


def coverage(rows: pd.DataFrame, labels: Mapping[str, str], nominal: float) -> Spec:
    """Draw the coverage of intervals by objective and method, with the nominal one as a line.

    Parameters
    ----------
    rows
        Columns ``method``, ``combination``, ``objective`` and ``coverage`` (mean over repeats).
    labels
        Objective to its name in figures.
    nominal
        Nominal coverage.
    """
    methods = list(dict.fromkeys(rows["method"]))
    colors = colors_of(methods)
    place = {objective: number for number, objective in enumerate(labels)}
    traces = []
    for number, method in enumerate(methods):
        own = rows[rows["method"] == method]
        shift = 0.5 * (number / max(1, len(methods) - 1) - 0.5) if len(methods) > 1 else 0.0
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": shown(method),
                "x": [place[objective] + shift for objective in own["objective"]],
                "y": listed(own["coverage"], 4),
                "text": [
                    shown(f"{method}, {combination}, {labels[objective]}")
                    for combination, objective in zip(own["combination"], own["objective"], strict=True)
                ],
                "hovertemplate": "%{text}<br>coverage %{y:.3f}<extra></extra>",
                "marker": {
                    "color": colors[method],
                    "symbol": SYMBOLS[number % len(SYMBOLS)],
                    "size": 7,
                    "opacity": 0.75,
                },
            }
        )
    line = {
        "type": "line",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": nominal,
        "y1": nominal,
        "line": {"color": "#1c2733", "width": 1, "dash": "dash"},
        "layer": "below",
    }
    return {
        "data": traces,
        "layout": layout(
            FULL,
            380,
            shapes=[line],
            showlegend=True,
            xaxis=axis(
                tickmode="array",
                tickvals=list(place.values()),
                ticktext=[shown(label, 28) for label in labels.values()],
                range=[-0.5, len(labels) - 0.5],
                showgrid=False,
            ),
            yaxis=axis("coverage", tickformat=".0%"),
            margin={"l": 60, "r": 20, "t": 40, "b": 60},
        ),
    }


def horizontal_bars(names: list[str], values: list[float], title: str) -> Spec:
    """Draw one bar per name."""
    return {
        "data": [
            {
                "type": "bar",
                "orientation": "h",
                "y": [shown(name, 40) for name in names],
                "x": listed(values),
                "marker": {"color": "#0072B2"},
                "hovertemplate": "%{y}: %{x:.3g}<extra></extra>",
            }
        ],
        "layout": layout(
            FULL,
            80 + 26 * max(2, len(names)),
            bargap=0.3,
            xaxis=axis(title),
            yaxis=axis(autorange="reversed", showgrid=False),
            margin={"l": 60, "r": 20, "t": 10, "b": 45},
        ),
    }
