"""A comparison as a figure: a panel for each thing that is predicted, a line a method."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from polyfacet.evaluation.scores import ALL
from polyfacet.reporting.comparison.sections import LABELS, SPLIT_LABELS, Section, published_value, sections

COLORS = {"random": "tab:blue", "formula": "tab:orange", "scikit_learn": "tab:green"}
# A panel shows no further down than this: a method that fails would squeeze all others.
FLOOR = 0.5


def comparison_figure(comparison: pd.DataFrame, published: Sequence[Mapping[str, Any]]) -> Figure:
    """Draw mean and standard deviation of every method's decisive score, and the published ones.

    Parameters
    ----------
    comparison
        See `polyfacet.evaluation.scores.compare`.
    published
        Published scores, entries of `comparison.published` of a configuration.

    Returns
    -------
    matplotlib.figure.Figure
        A row of panels for each table; values below ``FLOOR`` lie on its edge.
    """
    shown = [section for section in sections(comparison) if section.target != ALL]
    tables = list(dict.fromkeys(section.table for section in shown))
    by_table = {table: [section for section in shown if section.table == table] for table in tables}
    n_methods = comparison["method"].nunique()
    figure, grid = plt.subplots(
        len(tables),
        max(map(len, by_table.values())),
        figsize=(3.6 * max(map(len, by_table.values())), (1.2 + 0.24 * n_methods) * len(tables)),
        squeeze=False,
        layout="constrained",
    )
    for line, table in zip(grid, tables, strict=True):
        for axes in line[len(by_table[table]) :]:
            axes.set_visible(False)
        for place, (axes, section) in enumerate(zip(line, by_table[table], strict=False)):
            _panel(axes, section, comparison, published, names=place == 0)
    handles, labels = grid[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels))
    return figure


def _panel(
    axes: plt.Axes,
    section: Section,
    comparison: pd.DataFrame,
    published: Sequence[Mapping[str, Any]],
    *,
    names: bool,
) -> None:
    metric = section.metrics[0]
    rows = section.rows(comparison, metric)
    methods = list(dict.fromkeys(rows["method"]))
    place = {method: index for index, method in enumerate(methods)}
    for split, shift in zip(SPLIT_LABELS, (-0.15, 0.15, 0.0), strict=True):
        own = rows[rows["split"] == split]
        if own.empty:
            continue
        axes.errorbar(
            own["mean"].clip(lower=FLOOR),
            own["method"].map(place) + shift,
            xerr=own["std"].where(own["mean"] > FLOOR).fillna(0),
            clip_on=False,
            fmt="o",
            markersize=4,
            color=COLORS[split],
            label=f"{SPLIT_LABELS[split]} split, mean and standard deviation",
        )
    values = {method: published_value(section, method, metric, published) for method in methods}
    known = [(np.mean(value), place[method]) for method, value in values.items() if value is not None]
    x, y = zip(*known, strict=True) if known else ((), ())
    axes.scatter(x, y, marker="D", s=28, facecolors="none", edgecolors="black", label="published", zorder=3)
    axes.set_xlim(FLOOR, 1)
    axes.set_yticks(range(len(methods)), methods if names else [""] * len(methods), fontsize=8)
    axes.invert_yaxis()
    axes.grid(axis="x", linewidth=0.4)
    # A dollar sign would begin a formula.
    axes.set_title(section.title.replace("$", r"\$"), fontsize=10)
    axes.set_xlabel(f"{LABELS[metric]} (at the edge: below {FLOOR:g})", fontsize=8)
