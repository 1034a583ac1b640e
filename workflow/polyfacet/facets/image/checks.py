"""Checks of the pictures that the browser returns."""

import numpy as np

from polyfacet.runtime.picture_decoding import PictureDecodingError, decode_png

WHITE = 255
WHITE_PIXEL = np.uint32(0xFFFFFFFF)
# The edges of a unit cell alone cover about 1 % of the largest pictures.
MIN_DRAWN_FRACTION = 0.002


def picture_fault(png: bytes, size: int) -> str | None:
    """Return what is wrong with a picture of a crystal on a white background; None if nothing is.

    Parameters
    ----------
    png
        The file's bytes.
    size
        Expected width and height, pixels.
    """
    try:
        rgba = np.asarray(decode_png(png).convert("RGBA"))  # (height, width, 4)
    except PictureDecodingError as error:
        return str(error)
    height, width = rgba.shape[:2]
    if (width, height) != (size, size):
        return f"{width} x {height} px instead of {size} x {size}"
    if (rgba[..., 3] < WHITE).any():
        return "transparent pixels (the browser lost its WebGL context)"
    corners = rgba[[0, 0, -1, -1], [0, -1, 0, -1], :3]
    if (corners != WHITE).any():
        return "a corner is not white"
    # All are opaque, so that the four bytes of a pixel can be compared at once.
    drawn = (rgba.view(np.uint32) != WHITE_PIXEL).mean()
    if drawn < MIN_DRAWN_FRACTION:
        return f"blank: only {drawn:.2%} of the pixels are not white"
    return None
