"""True against predicted values."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from polyfacet.reporting.plots.style import GREY, HALF, PALETTE, SYMBOLS, Spec, axis, layout, listed, shown

# More points of a cell are drawn from evenly spaced ranks of the true values.
MAX_POINTS = 1500
# Below this number of points their materials are named at the pointer.
MAX_NAMED = 400


def parity(series: Mapping[str, pd.DataFrame], unit: str) -> Spec:
    """Draw predicted over true values, with the line of perfect predictions.

    Parameters
    ----------
    series
        Name to rows with ``mat_id``, ``y_true`` and ``y_pred``; the last one is drawn on top.
    unit
        Unit of the values.
    """
    values = np.concatenate([frame[["y_true", "y_pred"]].to_numpy().ravel() for frame in series.values()])
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    edge = 0.04 * ((high - low) or abs(high) or 1.0)
    limits = [low - edge, high + edge]
    traces: list[Spec] = [
        {
            "type": "scatter",
            "mode": "lines",
            "x": listed(limits),
            "y": listed(limits),
            "line": {"color": "#52606d", "width": 1, "dash": "dot"},
            "name": "perfect",
            "hoverinfo": "skip",
        }
    ]
    colors = [GREY, *PALETTE] if len(series) > 1 else PALETTE
    for number, (name, frame) in enumerate(series.items()):
        drawn = thinned(frame)
        trace = {
            "type": "scatter",
            "mode": "markers",
            "name": shown(name, 44),
            "x": listed(drawn["y_true"], 4),
            "y": listed(drawn["y_pred"], 4),
            "marker": {"color": colors[number], "symbol": SYMBOLS[number], "size": 6, "opacity": 0.65},
        }
        if len(drawn) <= MAX_NAMED:
            trace["text"] = [shown(str(mat_id)) for mat_id in drawn["mat_id"]]
            trace["hovertemplate"] = "%{text}<br>true %{x}, predicted %{y}<extra></extra>"
        traces.append(trace)
    said = f" ({shown(unit)})" if unit else ""
    return {
        "data": traces,
        "layout": layout(
            HALF,
            HALF - 40,
            xaxis=axis(f"true value{said}", range=limits),
            yaxis=axis(f"predicted value{said}", range=limits),
            margin={"l": 70, "r": 15, "t": 60, "b": 50},
        ),
    }


def thinned(frame: pd.DataFrame) -> pd.DataFrame:
    """Select at most `MAX_POINTS` rows, at evenly spaced ranks of the true values."""
    if len(frame) <= MAX_POINTS:
        return frame
    ranked = frame.sort_values(["y_true", "mat_id"])
    return ranked.iloc[np.linspace(0, len(ranked) - 1, MAX_POINTS).round().astype(int)]


def confusion(rows: pd.DataFrame, classes: Sequence[str]) -> pd.DataFrame:
    """Count predictions by true class (index) and predicted class (columns)."""
    counts = pd.crosstab(rows["true_class"], rows["predicted_class"])
    return counts.reindex(index=list(classes), columns=list(classes), fill_value=0)
