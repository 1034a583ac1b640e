"""Grad-CAM maps, drawn over structure pictures."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

# What raises and what lowers a prediction: colours that colour-blind readers can tell apart.
RAISES, LOWERS = (213, 94, 0), (0, 114, 178)
# Weight of the strongest colour, and edge of the drawn picture in pixels.
OPACITY, EDGE = 0.75, 192


def draw_map(picture: Path, contributions: NDArray[np.float64], largest: float, path: Path) -> None:
    """Draw contributions of regions over a picture.

    Parameters
    ----------
    picture
        The structure picture.
    contributions
        Of its regions, shape ``(rows, columns)``.
    largest
        Contribution of the strongest colour.
    path
        Output: PNG.
    """
    with Image.open(picture) as image:
        grey = image.convert("RGBA")
        white = Image.new("RGBA", grey.size, (255, 255, 255, 255))
        below = Image.alpha_composite(white, grey).convert("L").convert("RGB").resize((EDGE, EDGE))
    relative = (contributions / largest if largest > 0 else np.zeros_like(contributions)).astype(np.float32)
    smooth = np.asarray(Image.fromarray(relative).resize((EDGE, EDGE), Image.Resampling.BICUBIC))
    opacity = OPACITY * np.clip(np.abs(smooth), 0, 1)[..., None]
    colour = np.where(smooth[..., None] > 0, RAISES, LOWERS)
    blended = (1 - opacity) * np.asarray(below) + opacity * colour
    Image.fromarray(np.rint(blended).astype(np.uint8)).save(path)
