"""Draw the key to the composition image: which pixel is which statistic of which property."""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from numpy.typing import NDArray

from polyfacet.config.composition import ImageLayout
from polyfacet.facets.compimage.image import HEIGHT, WIDTH, arrange
from polyfacet.facets.compimage.properties import NAMES
from polyfacet.facets.compimage.statistics import STATISTICS
from polyfacet.runtime.files import atomic_path

UNUSED = -1
# Edge of a pixel in inches: wide enough for the name of a statistic at 6 points.
PIXEL = (0.62, 0.42)
SHADES = plt.get_cmap("tab20")


def main(legend: Path, *, layout: ImageLayout) -> None:
    """Draw the key.

    Parameters
    ----------
    legend
        Output: PNG.
    layout
        See `polyfacet.facets.compimage.image.arrange`.
    """
    properties, statistics = pixel_map(layout)
    figure, axes = plt.subplots(figsize=(PIXEL[0] * WIDTH + 0.4, PIXEL[1] * HEIGHT + 0.9), dpi=150)
    for row in range(HEIGHT):
        for place in range(0, WIDTH, 3):
            _draw_line(axes, row, place, properties, statistics)
    axes.set(xlim=(0, WIDTH), ylim=(HEIGHT, 0), xticks=[], yticks=[])
    axes.set_title(f"Composition image ({layout}): {HEIGHT} x {WIDTH} pixels, {len(NAMES)} properties")
    figure.tight_layout()
    with atomic_path(legend) as part:
        figure.savefig(part, format="png", metadata={"Software": None})
    plt.close(figure)


def pixel_map(layout: ImageLayout) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the index of the property and of the statistic of each pixel, both of shape ``(24, 21)``.

    The two unused pixels of a block have a property but no statistic (-1).
    """
    statistics, properties = (
        arrange(index[None], layout, empty=UNUSED)[0] for index in np.indices((len(STATISTICS), len(NAMES)))
    )
    # A block's unused pixels lie between used ones of the same property.
    properties = np.where(properties == UNUSED, np.roll(properties, 1, axis=1), properties)
    return properties, statistics


def _draw_line(
    axes: Axes, row: int, place: int, properties: NDArray[np.int64], statistics: NDArray[np.int64]
) -> None:
    """Draw three pixels, one line of a block, which every layout keeps together."""
    number = properties[row, place]
    shade = (*SHADES(number % SHADES.N)[:3], 0.35)
    axes.add_patch(Rectangle((place, row), 3, 1, facecolor=shade, edgecolor="none"))
    for offset in range(3):
        index = statistics[row, place + offset]
        word = "0" if index == UNUSED else STATISTICS[index]
        x = place + offset
        axes.add_patch(Rectangle((x, row), 1, 1, fill=False, edgecolor="white", linewidth=0.5))
        axes.text(x + 0.5, row + 0.7, word, ha="center", va="center", fontsize=6, color="0.35")
    starts = row == 0 or properties[row - 1, place] != number
    if starts:
        axes.text(place + 1.5, row + 0.25, NAMES[number], ha="center", va="center", fontsize=7, weight="bold")
        axes.plot([place, place + 3], [row, row], color="0.3", linewidth=0.8)


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
