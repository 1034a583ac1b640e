"""Figures of a run: the MASE heatmap, the MAE bars and the contact sheet."""

from collections.abc import Mapping, Sequence
from itertools import cycle
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.ticker import MaxNLocator
from PIL import Image

from polyfacet.reporting.grids import Grid
from polyfacet.reporting.numbers import number_text
from polyfacet.runtime.files import atomic_path

mpl.use("Agg")
DPI = 150


def save(figure: Figure, path: Path) -> None:
    """Save a figure as PNG without dates, so that equal figures are equal files."""
    with atomic_path(path) as part:
        figure.savefig(part, format="png", dpi=DPI, bbox_inches="tight", metadata={"Software": None})
    plt.close(figure)


def mase_heatmap(grids: Sequence[Grid]) -> Figure:
    """Draw MASE as a heatmap: blue beats the mean of the test values (below 1), red does not.

    Parameters
    ----------
    grids
        Grids of numbers, one panel each; cells whose facets reveal the objective are marked with a dagger.
    """
    heights = [1.2 + 0.45 * len(grid.rows) for grid in grids] or [1.2]
    width = 3.2 + 1.15 * max((len(grid.objectives) for grid in grids), default=1)
    figure, panels = plt.subplots(
        len(heights),
        1,
        figsize=(width, sum(heights)),
        squeeze=False,
        height_ratios=heights,
        layout="constrained",
    )
    if not grids:
        return _nothing(figure, "No objective of this run is numeric.")
    for axes, grid in zip(panels.flat, grids, strict=True):
        picture = _mase_panel(axes, grid, title=len(grids) > 1)
    figure.colorbar(picture, ax=panels, label="MASE (1 = mean of the test values)", extend="max")
    figure.suptitle("MASE by facets and objective")
    if any(grid.flagged for grid in grids):
        panels.flat[-1].set_xlabel("† the facets reveal the objective", loc="right", fontsize=8)
    return figure


def _mase_panel(axes: plt.Axes, grid: Grid, *, title: bool) -> AxesImage:
    table, best = grid.values("mase"), grid.best("mase")
    values = table.to_numpy(dtype=float)
    picture = axes.imshow(
        np.ma.masked_invalid(values),
        cmap=mpl.colormaps["RdBu_r"].with_extremes(bad="lightgrey"),
        norm=TwoSlopeNorm(vmin=0, vcenter=1, vmax=2),
        aspect="auto",
    )
    labels = [shown(label) for label in grid.objectives.values()]
    axes.set_xticks(range(len(labels)), labels, rotation=30, ha="right")
    axes.set_yticks(range(len(table)), table.index)
    for i, row in enumerate(table.index):
        for j, name in enumerate(table.columns):
            dark = not np.isnan(values[i, j]) and abs(values[i, j] - 1) > 0.6
            axes.text(
                j,
                i,
                number_text(values[i, j], ".2f") + ("†" if (row, name) in grid.flagged else ""),
                ha="center",
                va="center",
                color="white" if dark else "black",
                fontweight="bold" if best.get(name) == row else "normal",
                fontsize=9,
            )
    n_trained = len(table) - len(grid.baselines)
    if 0 < n_trained < len(table):
        axes.axhline(n_trained - 0.5, color="black", linewidth=1.5)
    if title:
        axes.set_title(shown(f"{grid.source}, split {grid.split}"), fontsize=10)
    return picture


def mae_bars(grids: Sequence[Grid]) -> Figure:
    """Draw the MAE of each row, one panel per objective; baselines are lines."""
    panels = [(grid, name) for grid in grids for name in grid.objectives]
    n_columns = 2
    n_rows = max(1, -(-len(panels) // n_columns))
    longest = max((len(grid.rows) for grid in grids), default=1)
    figure, places = plt.subplots(
        n_rows,
        n_columns,
        figsize=(12, 0.8 + n_rows * (0.7 + 0.28 * longest)),
        squeeze=False,
        layout="constrained",
    )
    if not panels:
        return _nothing(figure, "No objective of this run is numeric.")
    # Each baseline has the same style in all panels, as they share one legend.
    baselines = dict.fromkeys(row for grid in grids for row in grid.baselines)
    styles = dict(zip(baselines, cycle(("--", ":", "-.")), strict=False))
    for axes, (grid, name) in zip(places.flat, panels, strict=False):
        _mae_panel(axes, grid, name, styles, title=len(grids) > 1)
    for axes in list(places.flat)[len(panels) :]:
        axes.set_visible(False)
    add_legend(figure)
    return figure


def add_legend(figure: Figure) -> None:
    """Place one legend for all panels above them."""
    named = {
        label: handle
        for axes in figure.axes
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    if named:
        figure.legend(named.values(), named.keys(), loc="outside upper center", ncols=min(len(named), 4))


def _mae_panel(axes: plt.Axes, grid: Grid, name: str, styles: Mapping[str, str], *, title: bool) -> None:
    table = grid.values("mae")[name]
    spreads = grid.values("mae", "std")[name]
    trained = [row for row in table.index if row not in grid.baselines]
    values, best = table[trained], grid.best("mae").get(name)
    colors = ["tab:green" if row == best else "tab:blue" for row in values.index]
    errors = spreads[trained].fillna(0) if spreads.notna().any() else None
    bars = axes.barh(range(len(values)), values.fillna(0), xerr=errors, color=colors)
    # The line of a baseline would cross the value.
    behind = {"facecolor": "white", "edgecolor": "none", "pad": 1}
    texts = [number_text(value, ".3g") for value in values]
    axes.bar_label(bars, texts, padding=3, fontsize=8, zorder=3, bbox=behind)
    for row in grid.baselines:
        if pd.notna(table[row]):
            axes.axvline(
                table[row], color="black", linestyle=styles[row], linewidth=1, label=f"baseline: {row}"
            )
    axes.set_yticks(range(len(values)), list(values.index), fontsize=8)
    axes.invert_yaxis()
    axes.margins(x=0.15)
    where = f" ({grid.source}, split {grid.split})" if title else ""
    axes.set_title(shown(f"{grid.objectives[name]}{where}"), fontsize=10)
    axes.set_xlabel(shown(f"MAE ({grid.units[name]})"), fontsize=8)
    axes.xaxis.set_major_locator(MaxNLocator(6))


def shown(text: str) -> str:
    """Escape external text for display: a dollar sign would start math mode."""
    return text.replace("$", r"\$")


def _nothing(figure: Figure, why: str) -> Figure:
    for axes in figure.axes:
        axes.set_visible(False)
    figure.text(0.5, 0.5, why, ha="center")
    return figure


def contact_sheet(pictures: Sequence[Path], labels: Sequence[str], columns: int = 10) -> Figure:
    """Arrange pictures in a grid with a label under each."""
    n_rows = max(1, -(-len(pictures) // columns))
    figure, grid = plt.subplots(n_rows, columns, figsize=(columns * 1.4, n_rows * 1.55), squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    for axes, path, label in zip(grid.flat, pictures, labels, strict=False):
        with Image.open(path) as picture:
            axes.imshow(np.asarray(picture.convert("RGB")))
        # Formulas are external text: a dollar sign in one must not start math mode.
        axes.set_title(label, fontsize=7, y=-0.14, parse_math=False)
    figure.subplots_adjust(wspace=0.02, hspace=0.12)
    return figure
