"""Figures of the page."""

from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import pandas as pd

from polyfacet.runtime.files import atomic_path
from polyfacet.use.study.figures import STYLE


def draw_lines(path: Path, curves: pd.DataFrame, label: str) -> None:
    """Draw the MASE over a share.

    Parameters
    ----------
    path
        SVG file.
    curves
        Errors, shares by names of curves.
    label
        What the share is.
    """
    with mpl.rc_context(STYLE):
        figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
        for name in curves:
            known = curves[name].dropna()
            axes.plot(known.index, known, marker="o", markersize=3, label=name.replace("_", " "))
        axes.set(xlabel=label, ylabel="MASE, mean over objectives")
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
        with atomic_path(path) as part:
            figure.savefig(part, format="svg", metadata={"Date": None})
        plt.close(figure)
