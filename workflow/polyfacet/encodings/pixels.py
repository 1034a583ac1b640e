"""Pictures as small arrays of bytes, each decoded once."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from polyfacet.materials.picture_files import read_picture

# Width and height that all pictures are resized to, pixels.
SIZE = 64
WHITE = (255, 255, 255, 255)

Pixels = NDArray[np.uint8]


class PixelStore:
    """Pixels of pictures; those of materials that are trained on stay in memory."""

    def __init__(self) -> None:
        self._kept: dict[str, Pixels] = {}

    def keep(self, rows: pd.DataFrame, columns: Sequence[str]) -> Pixels:
        """Return pixels, shape ``(rows, views, 3, 64, 64)``, and keep them for `of`."""
        found = np.stack([self.of(*each) for each in _paths(rows, columns)])
        self._kept |= dict(zip(rows["mat_id"], found, strict=True))
        return found

    def of(self, mat_id: str, paths: Sequence[str]) -> Pixels:
        """Return the pixels of a material, shape ``(views, 3, 64, 64)``.

        Raises
        ------
        UserError
            If a picture is missing or damaged; the message names the material and the file.
        """
        if mat_id not in self._kept:
            return np.stack([_decoded(mat_id, Path(path)) for path in paths])
        return self._kept[mat_id]

    def each(self, rows: pd.DataFrame, columns: Sequence[str]) -> Iterable[Pixels]:
        """Yield the pixels of each material."""
        return (self.of(*each) for each in _paths(rows, columns))


def _paths(rows: pd.DataFrame, columns: Sequence[str]) -> Iterable[tuple[str, tuple[str, ...]]]:
    for mat_id, *paths in rows[["mat_id", *columns]].itertuples(index=False):
        yield mat_id, tuple(paths)


def _decoded(mat_id: str, path: Path) -> Pixels:
    """Read a picture in colour, on white where it is transparent."""
    picture = read_picture(mat_id, path).convert("RGBA")
    picture = Image.alpha_composite(_white(picture.size), picture).convert("RGB")
    small = picture.resize((SIZE, SIZE), Image.Resampling.BILINEAR)
    return np.asarray(small, dtype=np.uint8).transpose(2, 0, 1)


@lru_cache(maxsize=8)
def _white(size: tuple[int, int]) -> Image.Image:
    return Image.new("RGBA", size, WHITE)
