"""Figures of a run: the MASE heatmap, the MAE bars and the contact sheet."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from PIL import Image

from polyfacet.materials.targets import Target
from polyfacet.reporting.results import BASELINES, best_rows, number_text
from polyfacet.runtime.files import atomic_path

mpl.use("Agg")
DPI = 150


def save(figure: Figure, path: Path) -> None:
    """Save a figure as PNG, without dates in it, so that equal figures are equal files."""
    with atomic_path(path) as part:
        figure.savefig(part, format="png", dpi=DPI, bbox_inches="tight", metadata={"Software": None})
    plt.close(figure)


def mase_heatmap(table: pd.DataFrame, flagged: set[tuple[str, str]]) -> Figure:
    """Draw MASE as colours: blue beats the mean of the test targets (below 1), red does not.

    Parameters
    ----------
    table
        `polyfacet.reporting.results.pivot` of ``mase``.
    flagged
        Pairs of row and target whose facets contain the target; they get a dagger.
    """
    figure, axes = plt.subplots(figsize=(1.6 + 1.15 * len(table.columns), 1.2 + 0.45 * len(table)))
    values = table.to_numpy(dtype=float)
    masked = np.ma.masked_invalid(values)
    norm = TwoSlopeNorm(vmin=0, vcenter=1, vmax=2)
    picture = axes.imshow(
        masked, cmap=mpl.colormaps["RdBu_r"].with_extremes(bad="lightgrey"), norm=norm, aspect="auto"
    )
    axes.set_xticks(
        range(len(table.columns)), [Target(t).facts.label for t in table.columns], rotation=30, ha="right"
    )
    axes.set_yticks(range(len(table)), table.index)
    best = best_rows(table)
    for i, row in enumerate(table.index):
        for j, target in enumerate(table.columns):
            text = number_text(values[i, j], ".2f")
            dark = not np.isnan(values[i, j]) and abs(values[i, j] - 1) > 0.6
            axes.text(
                j,
                i,
                text + ("†" if (row, target) in flagged else ""),
                ha="center",
                va="center",
                color="white" if dark else "black",
                fontweight="bold" if best.get(target) == row else "normal",
                fontsize=9,
            )
    _separate_baselines(axes, table)
    figure.colorbar(picture, ax=axes, label="MASE (1 = mean of the test targets)", extend="max")
    axes.set_title("MASE by facet combination and target")
    if flagged:
        axes.set_xlabel("† the facets contain the target", loc="right", fontsize=8)
    return figure


def mae_bars(table: pd.DataFrame) -> Figure:
    """Draw the MAE of each combination, one panel a target; the dummy predictors stand as lines."""
    n_columns = 2
    n_rows = -(-len(table.columns) // n_columns)
    figure, grid = plt.subplots(
        n_rows,
        n_columns,
        figsize=(12, 0.8 + n_rows * (0.7 + 0.28 * len(table))),
        squeeze=False,
        layout="constrained",
    )
    combinations = [row for row in table.index if row not in BASELINES]
    for axes, target in zip(grid.flat, table.columns, strict=False):
        _mae_panel(axes, table.loc[combinations, target], table[target].reindex(BASELINES), Target(target))
    for axes in list(grid.flat)[len(table.columns) :]:
        axes.set_visible(False)
    figure.legend(handles=grid.flat[0].get_lines(), loc="outside upper center", ncols=len(BASELINES))
    return figure


def _mae_panel(axes: plt.Axes, values: pd.Series, baselines: pd.Series, target: Target) -> None:
    best = values.idxmin() if values.notna().any() else None
    colors = ["tab:green" if row == best else "tab:blue" for row in values.index]
    bars = axes.barh(range(len(values)), values.fillna(0), color=colors)
    axes.bar_label(bars, [number_text(value, ".3g") for value in values], padding=3, fontsize=8)
    for (name, value), style in zip(baselines.items(), ("--", ":"), strict=True):
        if pd.notna(value):
            axes.axvline(
                value,
                color="black",
                linestyle=style,
                linewidth=1,
                label=f"dummy: {name} of the training part",
            )
    axes.set_yticks(range(len(values)), list(values.index), fontsize=8)
    axes.invert_yaxis()
    axes.margins(x=0.15)
    axes.set_title(target.facts.label, fontsize=10)
    axes.set_xlabel(f"MAE ({target.facts.unit})", fontsize=8)
    axes.xaxis.set_major_locator(MaxNLocator(6))


def _separate_baselines(axes: plt.Axes, table: pd.DataFrame) -> None:
    n_combinations = sum(row not in BASELINES for row in table.index)
    if 0 < n_combinations < len(table):
        axes.axhline(n_combinations - 0.5, color="black", linewidth=1.5)


def contact_sheet(pictures: Sequence[Path], labels: Sequence[str], columns: int = 10) -> Figure:
    """Arrange pictures in a grid with a label under each."""
    n_rows = max(1, -(-len(pictures) // columns))
    figure, grid = plt.subplots(n_rows, columns, figsize=(columns * 1.4, n_rows * 1.55), squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    for axes, path, label in zip(grid.flat, pictures, labels, strict=False):
        with Image.open(path) as picture:
            axes.imshow(np.asarray(picture.convert("RGB")))
        # A formula comes from outside: a dollar in it is no beginning of mathematics.
        axes.set_title(label, fontsize=7, y=-0.14, parse_math=False)
    figure.subplots_adjust(wspace=0.02, hspace=0.12)
    return figure
