"""A comparison as a figure: a panel for each thing that is predicted, one line per method."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from polyfacet.evaluation.metrics import ALL
from polyfacet.reporting.figures import shown
from polyfacet.reporting.grids import METRIC_LABELS
from polyfacet.reporting.sections import Section, published_value, sections

# A panel shows no further down than this: a method that fails would squeeze all others.
FLOOR = 0.0


def comparison_figure(comparison: pd.DataFrame, published: Sequence[Mapping[str, Any]]) -> Figure:
    """Draw mean and standard deviation of every method's decisive score, and the published ones.

    Parameters
    ----------
    comparison
        See `polyfacet.evaluation.scores.compare`.
    published
        Published scores, entries of ``report.published`` of a configuration.

    Returns
    -------
    matplotlib.figure.Figure
        A row of panels for each table; values below ``FLOOR`` lie on its edge.
    """
    drawn = [section for section in sections(comparison) if section.objective != ALL]
    sources = list(dict.fromkeys(section.source for section in drawn))
    by_source = {source: [section for section in drawn if section.source == source] for source in sources}
    n_rows = comparison[["method", "combination"]].drop_duplicates().shape[0]
    figure, grid = plt.subplots(
        len(sources),
        max(map(len, by_source.values())),
        figsize=(3.6 * max(map(len, by_source.values())), (1.2 + 0.24 * n_rows) * len(sources)),
        squeeze=False,
        layout="constrained",
    )
    for line, source in zip(grid, sources, strict=True):
        for axes in line[len(by_source[source]) :]:
            axes.set_visible(False)
        for place, (axes, section) in enumerate(zip(line, by_source[source], strict=False)):
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
    names_of_rows = list(dict.fromkeys(rows["row"]))
    place = {row: index for index, row in enumerate(names_of_rows)}
    splits = list(dict.fromkeys(comparison["split"]))
    for number, split in enumerate(splits):
        own = rows[rows["split"] == split]
        if own.empty:
            continue
        shift = 0.3 * (number - (len(splits) - 1) / 2) / max(1, len(splits) - 1)
        axes.errorbar(
            own["mean"].clip(lower=FLOOR),
            own["row"].map(place) + shift,
            xerr=own["std"].where(own["mean"] > FLOOR).fillna(0),
            clip_on=False,
            fmt="o",
            markersize=4,
            color=f"C{number}",
            label=f"split {split}, mean and standard deviation",
        )
    methods = dict(zip(rows["row"], rows["method"], strict=True))
    values = {row: published_value(section, methods[row], metric, published) for row in names_of_rows}
    known = [(np.mean(value), place[row]) for row, value in values.items() if value is not None]
    if known:
        x, y = zip(*known, strict=True)
        axes.scatter(
            x, y, marker="D", s=28, facecolors="none", edgecolors="black", label="published", zorder=3
        )
    axes.set_xlim(FLOOR, 1)
    axes.set_yticks(range(len(place)), names_of_rows if names else [""] * len(place), fontsize=8)
    axes.invert_yaxis()
    axes.grid(axis="x", linewidth=0.4)
    axes.set_title(shown(section.title), fontsize=10)
    axes.set_xlabel(f"{METRIC_LABELS[metric]} (at the edge: below {FLOOR:g})", fontsize=8)
