"""Layout of the composition image: the pixel of each statistic of each property.

A property is a block of 3 x 3 pixels,

    sum    0    var
    gmean  ave  hmean
    max    0    min

and the 56 blocks are arranged row by row in 8 rows x 7 columns: 24 x 21 pixels (Yu, Wu and Qian, "Materials
Composition Visualization Network", Figs 3 and 6).
"""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from polyfacet.config.composition import ImageLayout
from polyfacet.facets.compimage.properties import NAMES
from polyfacet.facets.compimage.statistics import STATISTICS

Kind = TypeVar("Kind", bound=np.generic)

BLOCK = (("sum", None, "var"), ("gmean", "ave", "hmean"), ("max", None, "min"))
BLOCK_ROWS, BLOCK_COLUMNS = 8, 7
HEIGHT, WIDTH = BLOCK_ROWS * len(BLOCK), BLOCK_COLUMNS * len(BLOCK[0])


def arrange(values: NDArray[Kind], layout: ImageLayout, *, empty: Kind | int = 0) -> NDArray[Kind]:
    """Arrange statistics as pictures.

    Parameters
    ----------
    values
        Shape (pictures, 7, 56): statistics in the order of ``STATISTICS``, properties in that of ``NAMES``.
    layout
        ``fixed`` keeps every block intact.  ``mcvn2022`` is the layout of the published images: 7 rows x 8
        columns of blocks, read row by row as if they were 24 x 21 pixels, which splits the blocks into lines
        of three.
    empty
        Value of the two unused pixels of each block.

    Returns
    -------
    ndarray
        Shape (pictures, 24, 21).
    """
    n = len(values)
    blocks = np.full((n, len(NAMES), len(BLOCK), len(BLOCK[0])), empty, dtype=values.dtype)
    for row, line in enumerate(BLOCK):
        for place, statistic in enumerate(line):
            if statistic is not None:
                blocks[:, :, row, place] = values[:, STATISTICS.index(statistic)]
    rows, columns = (BLOCK_ROWS, BLOCK_COLUMNS) if layout == "fixed" else (BLOCK_COLUMNS, BLOCK_ROWS)
    grid = blocks.reshape(n, rows, columns, len(BLOCK), len(BLOCK[0])).transpose(0, 1, 3, 2, 4)
    return grid.reshape(n, HEIGHT, WIDTH)


def magnify(picture: NDArray[Kind], scale: int) -> NDArray[Kind]:
    """Enlarge a picture by an integer factor; every pixel becomes a square (nearest neighbour)."""
    return np.repeat(np.repeat(picture, scale, axis=0), scale, axis=1)


def shrink(picture: NDArray[Kind]) -> NDArray[Kind]:
    """Undo `magnify`: return the 24 x 21 pixels of a composition image of any scale.

    Raises
    ------
    ValueError
        If the picture is not 24 x 21 pixels times an integer factor.
    """
    scale = max(1, picture.shape[0] // HEIGHT)
    if picture.shape != (HEIGHT * scale, WIDTH * scale):
        height, width = picture.shape[:2]
        raise ValueError(
            f"a composition image must have a multiple of {WIDTH} x {HEIGHT} pixels (width x height), not "
            f"{width} x {height}"
        )
    return picture[::scale, ::scale]
