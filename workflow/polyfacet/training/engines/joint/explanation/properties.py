"""Integrated gradients on composition images, summed over the pixels of each property of elements.

Sundararajan, Taly and Yan, "Axiomatic Attribution for Deep Networks", ICML 2017: the gradients along the
straight line from a baseline, here the mean image of the training rows, to the image.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
import torch
from captum.attr import IntegratedGradients
from numpy.typing import NDArray
from PIL import Image

from polyfacet.config.composition import ImageLayout
from polyfacet.encodings.pixels import SIZE
from polyfacet.facets.compimage.image import HEIGHT, WIDTH, arrange
from polyfacet.facets.compimage.properties import NAMES
from polyfacet.facets.compimage.statistics import STATISTICS
from polyfacet.training.engines.explaining import Array, Attributions, Explainer, Hidden, Kind
from polyfacet.training.engines.joint.explanation.readout import Readout

# Points on the line from the baseline to an image, and those that are computed together.
N_STEPS, AT_ONCE = 50, 512


class ContentOfPixels(Protocol):
    """Turns grey values of composition images into what a tower reads."""

    def __call__(self, pixels: torch.Tensor) -> torch.Tensor:
        """Convert grey values from 0 to 1, shape ``(rows, 504)``; differentiable."""
        ...


@dataclass(frozen=True, eq=False)
class ScaledNumbers:
    """Grey values as scaled numbers, without those that are constant in training.

    Attributes
    ----------
    kept
        Which of them are read.
    mean, deviation, low, high
        Their scaling; see `polyfacet.training.engines.scaling.Scaling`.
    """

    kept: torch.Tensor
    mean: torch.Tensor
    deviation: torch.Tensor
    low: torch.Tensor
    high: torch.Tensor

    def __call__(self, pixels: torch.Tensor) -> torch.Tensor:
        """Scale them."""
        return (pixels[:, self.kept].clamp(self.low, self.high) - self.mean) / self.deviation


@dataclass(frozen=True, eq=False)
class ResizedPictures:
    """Grey values as pictures of 64 x 64 pixels in colour, resized as Pillow does, but not rounded.

    Attributes
    ----------
    rows, columns
        Weight of each row and column of an image in those of the picture, shapes ``(64, 24)`` and
        ``(64, 21)``.
    """

    rows: torch.Tensor
    columns: torch.Tensor

    @classmethod
    def of_scale(cls, scale: int) -> "ResizedPictures":
        """Return it for files in which a pixel is drawn as a square of some pixels."""
        return cls(_resizing(HEIGHT, scale), _resizing(WIDTH, scale))

    def __call__(self, pixels: torch.Tensor) -> torch.Tensor:
        """Resize them; the result has the shape ``(rows, 1, 3, 64, 64)``."""
        grey = 255 * self.rows @ pixels.unflatten(1, (HEIGHT, WIDTH)) @ self.columns.T
        return grey[:, None, None].expand(-1, 1, 3, -1, -1)


def _resizing(size: int, scale: int) -> torch.Tensor:
    """Return the weight of each original pixel in each resized one, along an axis, shape ``(64, size)``."""
    drawn = np.repeat(np.eye(size, dtype=np.float32), scale, axis=0)
    resized = Image.fromarray(drawn, mode=None).resize((size, SIZE), Image.Resampling.BILINEAR)
    return torch.from_numpy(np.array(resized))


@dataclass(frozen=True, eq=False)
class PropertyExplainer(Explainer):
    """Properties of elements, by their pixels.

    Attributes
    ----------
    readout
        The outputs of the network.
    pixels
        Grey values of the images, shape ``(materials, 504)``.
    baseline
        Mean grey values of the training rows, shape ``(504,)``.
    content_of
        Turns grey values into what the tower reads.
    layout
        Arrangement of the images.
    """

    readout: Readout
    pixels: torch.Tensor
    baseline: torch.Tensor
    content_of: ContentOfPixels
    layout: ImageLayout
    kind: ClassVar[Kind] = "properties"
    is_complete: ClassVar[bool] = True

    @property
    def names(self) -> Sequence[Sequence[str]]:
        """Names of the properties."""
        return [NAMES] * len(self.pixels)

    def attributions(self) -> Attributions:
        """Integrate the gradients, and sum them by property and, beside, by statistic."""
        by_pixel = np.concatenate([self._integrated(rows) for rows in self.readout.pieces()])
        by_property, by_statistic = (
            np.einsum("pu,mpo->muo", groups, by_pixel) for groups in _groups(self.layout)
        )
        return Attributions(list(by_property), {"statistic": (STATISTICS, by_statistic)})

    def outputs(self, hidden: Hidden) -> Array:
        """Replace the pixels of hidden properties by those of the baseline."""
        is_hidden = torch.from_numpy((np.stack(hidden) @ _groups(self.layout)[0].T) > 0)
        shown = torch.where(is_hidden, self.baseline, self.pixels)
        return self.readout.said(lambda rows: self.content_of(shown[rows]))

    def _integrated(self, rows: torch.Tensor) -> Array:
        """Return contributions of pixels, shape ``(rows, 504, objectives)``."""

        def said(pixels: torch.Tensor, which: torch.Tensor) -> torch.Tensor:
            return self.readout(self.content_of(pixels), which)

        method = IntegratedGradients(said)
        found = [
            method.attribute(
                self.pixels[rows],
                self.baseline[None],
                target=objective,
                additional_forward_args=(rows,),
                n_steps=N_STEPS,
                internal_batch_size=AT_ONCE,
            )
            for objective in range(self.readout.n_outputs)
        ]
        return torch.stack(found, dim=2).double().numpy()


def _groups(layout: ImageLayout) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Say which property and which statistic each pixel shows, shapes ``(504, 56)`` and ``(504, 7)``."""
    shape = (len(STATISTICS), len(NAMES))
    properties = np.broadcast_to(np.arange(len(NAMES)), shape)
    statistics = np.broadcast_to(np.arange(len(STATISTICS))[:, None], shape)
    found = []
    for numbers, n in ((properties, len(NAMES)), (statistics, len(STATISTICS))):
        shown = arrange(numbers[None].copy(), layout, empty=-1).reshape(-1)
        found.append((shown[:, None] == np.arange(n)).astype(np.float64))
    return found[0], found[1]
