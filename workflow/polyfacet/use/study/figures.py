"""Figures of a study."""

from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from polyfacet.runtime.files import atomic_path

# Letters as letters, and the same file for the same numbers.
STYLE: Any = {"svg.fonttype": "none", "svg.hashsalt": "polyfacet", "font.size": 9}
# The colours of larger losses are dark.
DARK = 0.5


def draw_heatmap(path: Path, values: pd.DataFrame, title: str) -> None:
    """Draw losses as a heatmap with numbers.

    Parameters
    ----------
    path
        SVG file.
    values
        Losses, named facets by objectives.
    title
        Title of the figure.
    """
    n_rows, n_columns = values.shape
    size = (3.2 + 0.85 * n_columns, 1.2 + 0.3 * n_rows)
    with mpl.rc_context(STYLE):
        figure, axes = plt.subplots(figsize=size, layout="constrained")
        numbers = values.to_numpy(dtype=float)
        image = axes.imshow(numbers, cmap="viridis_r", aspect="auto", vmin=0, vmax=1)
        axes.set_xticks(range(n_columns), values.columns, rotation=30, ha="right")
        axes.set_yticks(range(n_rows), values.index)
        for (row, column), value in np.ndenumerate(numbers):
            if not np.isnan(value):
                color = "white" if value > DARK else "black"
                axes.text(column, row, f"{value:.2f}", ha="center", va="center", color=color)
        axes.set_title(title)
        figure.colorbar(image, ax=axes, extend="max")
        _save(figure, path)


def draw_curves(path: Path, losses: pd.DataFrame) -> None:
    """Draw losses over numbers of training materials, on logarithmic axes.

    Parameters
    ----------
    path
        SVG file.
    losses
        Losses, named curves by numbers of materials.
    """
    with mpl.rc_context(STYLE):
        figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
        for name, values in losses.iterrows():
            axes.plot(losses.columns, values, marker="o", label=name)
        axes.set(xscale="log", yscale="log", xlabel="materials trained on", ylabel="mean loss")
        axes.set_xticks(losses.columns, [f"{size:.0f}" for size in losses.columns])
        axes.xaxis.set_minor_locator(NullLocator())
        for set_formatter in (axes.yaxis.set_major_formatter, axes.yaxis.set_minor_formatter):
            set_formatter("{x:g}")
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
        _save(figure, path)


def _save(figure: Figure, path: Path) -> None:
    with atomic_path(path) as part:
        figure.savefig(part, format="svg", metadata={"Date": None})
    plt.close(figure)
