"""Draw a comparison: one panel per prediction target, one line per method."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from polyfacet.evaluation.metrics import ALL
from polyfacet.reporting.figures import add_legend, shown
from polyfacet.reporting.grids import METRIC_LABELS
from polyfacet.reporting.published import published_values
from polyfacet.reporting.sections import Section, rows_of_source, sections

# Lowest value shown, as a failing method would squeeze all others.
FLOOR = 0.0


def comparison_figure(
    cells: pd.DataFrame, comparison: pd.DataFrame, published: Sequence[Mapping[str, Any]]
) -> Figure:
    """Draw the mean and standard deviation of every method's decisive score, and published scores.

    Parameters
    ----------
    cells
        Table of ``CELLS``.
    comparison
        See `polyfacet.evaluation.scores.compare`.
    published
        Published scores, entries of ``report.published`` of a configuration.

    Returns
    -------
    matplotlib.figure.Figure
        One row of panels per source, which share their lines; values below ``FLOOR`` are drawn on the edge.
    """
    drawn = [section for section in sections(cells, comparison) if section.objective != ALL]
    by_source: dict[str, list[Section]] = {}
    for section in drawn:
        by_source.setdefault(section.source, []).append(section)
    rows = {source: rows_of_source(comparison, source) for source in by_source}
    heights = [1.2 + 0.24 * len(names) for names in rows.values()]
    n_columns = max(map(len, by_source.values()))
    figure, grid = plt.subplots(
        len(by_source),
        n_columns,
        figsize=(3.6 * n_columns, sum(heights)),
        squeeze=False,
        height_ratios=heights,
        layout="constrained",
    )
    for line, (source, own) in zip(grid, by_source.items(), strict=True):
        for axes in line[len(own) :]:
            axes.set_visible(False)
        for axes, section in zip(line, own, strict=False):
            _panel(axes, section, comparison, published, rows[source])
            axes.set_yticks(range(len(rows[source])), rows[source], fontsize=8)
            axes.tick_params(labelleft=axes is line[0])
    add_legend(figure)
    return figure


def _panel(
    axes: plt.Axes,
    section: Section,
    comparison: pd.DataFrame,
    published: Sequence[Mapping[str, Any]],
    names: Sequence[str],
) -> None:
    metric = section.metrics[0]
    rows = section.rows(comparison, metric)
    place = {row: index for index, row in enumerate(names)}
    _draw_scores(axes, rows, place, list(dict.fromkeys(comparison["split"])))
    values = published_values(section, rows, metric, published)
    known = [(np.mean(value), place[row]) for row, own in values.items() for value in own]
    if known:
        x, y = zip(*known, strict=True)
        axes.scatter(
            x, y, marker="D", s=28, facecolors="none", edgecolors="black", label="published", zorder=3
        )
    axes.set_xlim(FLOOR, 1)
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(axis="x", linewidth=0.4)
    axes.set_title(shown(section.title), fontsize=10)
    axes.set_xlabel(f"{METRIC_LABELS[metric]} (at the edge: below {FLOOR:g})", fontsize=8)


def _draw_scores(axes: plt.Axes, rows: pd.DataFrame, place: Mapping[str, int], splits: Sequence[str]) -> None:
    """Draw the scores of each split in its own colour; rows without a score are marked n/a."""
    for number, split in enumerate(splits):
        own = rows[rows["split"] == split]
        if own.empty:
            continue
        color = f"C{number}"
        heights = own["row"].map(place) + 0.3 * (number - (len(splits) - 1) / 2) / max(1, len(splits) - 1)
        drawn = axes.errorbar(
            own["mean"].clip(lower=FLOOR),
            heights,
            xerr=own["std"].where(own["mean"] > FLOOR).fillna(0),
            fmt="o",
            markersize=4,
            color=color,
            label=f"split {split}, mean and standard deviation",
        )
        # Points on the edge are not clipped, but spreads end there: beyond it is the next panel.
        drawn.lines[0].set_clip_on(False)
        for height in heights[own["mean"].isna()]:
            axes.text(FLOOR, height, " n/a", va="center", fontsize=7, color=color)
