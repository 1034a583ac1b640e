"""Values with intervals: contributions of facets, and tested differences."""

from collections.abc import Mapping

import pandas as pd

from polyfacet.reporting.plots.style import (
    FULL,
    GREY,
    PALETTE,
    SYMBOLS,
    Spec,
    axis,
    colors_of,
    layout,
    listed,
    shown,
)

VERDICT_COLORS = {
    "better": PALETTE[0],
    "worse": PALETTE[1],
    "practically equal": PALETTE[2],
    "undecided": GREY,
}


def grouped_bars(
    rows: pd.DataFrame, labels: Mapping[str, str], title: str, *, group: str = "facet", value: str = "value"
) -> Spec:
    """Draw bars with intervals: one group per objective, one bar per facet.

    Parameters
    ----------
    rows
        Columns ``objective``, ``low``, ``high``, and those named by ``group`` and ``value``.
    labels
        Objective to its name in figures, in the order of the groups.
    title
        What the bars mean.
    group, value
        Columns with the name of a bar and its height.
    """
    names = list(dict.fromkeys(rows[group]))
    colors = colors_of(names)
    traces = []
    for name in names:
        own = rows[rows[group] == name].set_index("objective").reindex(list(labels))
        traces.append(
            {
                "type": "bar",
                "name": shown(str(name)),
                "x": [shown(label, 28) for label in labels.values()],
                "y": listed(own[value]),
                "marker": {"color": colors[name]},
                "error_y": {
                    "type": "data",
                    "symmetric": False,
                    "array": listed(own["high"] - own[value]),
                    "arrayminus": listed(own[value] - own["low"]),
                    "color": "#1c2733",
                    "thickness": 1,
                    "width": 3,
                },
            }
        )
    return {
        "data": traces,
        "layout": layout(
            FULL,
            400,
            barmode="group",
            bargap=0.25,
            xaxis=axis(showgrid=False),
            yaxis=axis(title, zeroline=True, zerolinecolor="#52606d"),
            margin={"l": 60, "r": 20, "t": 40, "b": 60},
        ),
    }


def forest(tests: pd.DataFrame, labels: Mapping[str, str], comparisons: Mapping[str, str]) -> Spec:
    """Draw the differences of tested comparisons with their intervals and the margins of equivalence.

    Parameters
    ----------
    tests
        Rows of the tested comparisons of one source and split.
    labels
        Objective to its name in figures.
    comparisons
        Comparison to the title of its panel.
    """
    traces, shapes, annotations = [], [], []
    axes: Spec = {}
    told: set[str] = set()
    gap = 0.04
    width = (1 - gap * (len(comparisons) - 1)) / len(comparisons)
    for panel, (comparison, title) in enumerate(comparisons.items()):
        suffix = "" if panel == 0 else str(panel + 1)
        own = tests[tests["comparison"] == comparison].set_index("objective").reindex(list(labels))
        start = panel * (width + gap)
        axes[f"xaxis{suffix}"] = axis(
            "difference of the loss", domain=[start, start + width], zeroline=True, zerolinecolor="#52606d",
            anchor=f"y{suffix}",
        )  # fmt: skip
        axes[f"yaxis{suffix}"] = axis(
            tickmode="array",
            tickvals=list(range(len(labels))),
            ticktext=[shown(label, 28) for label in labels.values()],
            showticklabels=panel == 0,
            range=[len(labels) - 0.5, -0.5],
            anchor=f"x{suffix}",
        )
        annotations.append(
            {
                "text": f"<b>{shown(title).replace(' vs ', '<br>vs ')}</b>",
                "x": start,
                "xanchor": "left",
                "align": "left",
                "y": 1.0,
                "xref": "paper",
                "yref": "paper",
                "yanchor": "bottom",
                "showarrow": False,
                "font": {"size": 12},
            }
        )
        for row, (_, test) in enumerate(own.iterrows()):
            shapes += _margin(test, row, suffix)
            traces += _point(test, row, suffix, told)
    return {
        "data": traces,
        "layout": layout(
            FULL,
            146 + 30 * len(labels),
            shapes=shapes,
            annotations=annotations,
            margin={"l": 60, "r": 20, "t": 76, "b": 50},
            legend={"orientation": "h", "x": 0, "y": 1, "yref": "container", "yanchor": "top"},
            **axes,
        ),
    }


def _margin(test: pd.Series, row: int, suffix: str) -> list[Spec]:
    """Shade the differences that do not matter in practice."""
    margin = test["margin"]
    if pd.isna(margin):
        return []
    return [
        {
            "type": "rect",
            "xref": f"x{suffix}",
            "yref": f"y{suffix}",
            "x0": -float(margin),
            "x1": float(margin),
            "y0": row - 0.4,
            "y1": row + 0.4,
            "fillcolor": "#e3e8ee",
            "line": {"width": 0},
            "layer": "below",
        }
    ]


def _point(test: pd.Series, row: int, suffix: str, told: set[str]) -> list[Spec]:
    """Draw a difference that was tested; a difference without a test would read like a finding."""
    difference, low, high, verdict = test[["difference", "low", "high", "verdict"]]
    if pd.isna(test["p_holm"]):
        return []
    first = verdict not in told
    told.add(verdict)
    said = f"{verdict}<br>difference {difference:.4f}<br>95 % interval {low:.4f} to {high:.4f}"
    return [
        {
            "type": "scatter",
            "mode": "markers",
            "name": verdict,
            "legendgroup": verdict,
            "showlegend": first,
            "x": listed([difference]),
            "y": [row],
            "xaxis": f"x{suffix}",
            "yaxis": f"y{suffix}",
            "marker": {
                "color": VERDICT_COLORS.get(verdict, GREY),
                "symbol": SYMBOLS[list(VERDICT_COLORS).index(verdict)]
                if verdict in VERDICT_COLORS
                else "circle",
                "size": 9,
            },
            "error_x": {
                "type": "data",
                "symmetric": False,
                "array": listed([high - difference]),
                "arrayminus": listed([difference - low]),
                "thickness": 1.5,
                "width": 4,
            },
            "hovertemplate": f"{said}<extra></extra>",
        }
    ]
