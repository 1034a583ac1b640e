"""Composition images: statistics, drawn with fitted grey levels."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from polyfacet.config.composition import ImageLayout
from polyfacet.facets.compimage.grey_levels import GreyLevels
from polyfacet.facets.compimage.image import arrange, magnify
from polyfacet.facets.compimage.statistics import Array
from polyfacet.runtime.files import sha256_of_file


def arranged_pixels(
    mat_ids: Sequence[str], statistics: Array, levels: GreyLevels, layout: ImageLayout
) -> dict[str, NDArray[np.uint8]]:
    """Return the 24 x 21 grey values of each material.

    Parameters
    ----------
    mat_ids, statistics
        Identifiers, and their statistics, shape (materials, 7, 56).
    levels
        Fitted grey levels.
    layout
        See `polyfacet.facets.compimage.image.arrange`.
    """
    return dict(zip(mat_ids, arrange(levels.grey(statistics), layout), strict=True))


def write_images(
    pixels: Iterable[tuple[str, NDArray[np.uint8]]], folder: Path, scale: int
) -> list[dict[str, str]]:
    """Write ``<mat_id>.png`` of each material; return the rows of their table.

    Parameters
    ----------
    pixels
        mat_id and grey values.
    folder
        Existing folder.
    scale
        Edge of a drawn pixel in pixels of the file.
    """
    rows = []
    for mat_id, picture in pixels:
        path = folder / f"{mat_id}.png"
        Image.fromarray(magnify(picture, scale)).save(path)
        rows.append({"mat_id": mat_id, "image": path.name, "sha256": sha256_of_file(path)})
    return rows
