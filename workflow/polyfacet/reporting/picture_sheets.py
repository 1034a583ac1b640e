"""Pictures side by side, with labels, as PNG."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from PIL import Image

from polyfacet.runtime.files import atomic_path

mpl.use("Agg")
DPI = 150


def save(figure: Figure, path: Path) -> None:
    """Save a figure as PNG without dates, so that equal figures are equal files."""
    with atomic_path(path) as part:
        figure.savefig(part, format="png", dpi=DPI, bbox_inches="tight", metadata={"Software": None})
    plt.close(figure)


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
