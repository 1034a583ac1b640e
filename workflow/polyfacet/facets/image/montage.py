"""Combination of several pictures into one."""

import io
import math
from collections.abc import Sequence

from PIL import Image

from polyfacet.runtime.picture_decoding import decode_png

BACKGROUND = "white"


def montage(pngs: Sequence[bytes], size: int) -> bytes:
    """Arrange square pictures row by row in a square grid (four pictures: two by two).

    Parameters
    ----------
    pngs
        The pictures' bytes.
    size
        Width and height of the montage, pixels.

    Returns
    -------
    bytes
        A PNG.
    """
    columns = math.isqrt(len(pngs) - 1) + 1
    tile = size // columns
    sheet = Image.new("RGB", (size, size), BACKGROUND)
    for place, png in enumerate(pngs):
        line, column = divmod(place, columns)
        picture = decode_png(png).convert("RGB").resize((tile, tile), Image.Resampling.LANCZOS)
        sheet.paste(picture, (column * tile, line * tile))
    content = io.BytesIO()
    sheet.save(content, format="PNG")
    return content.getvalue()
