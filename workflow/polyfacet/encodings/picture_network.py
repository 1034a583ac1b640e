"""The convolutional network that encodes pictures: timm's, with an embedding and a head."""

from collections.abc import Iterable

import numpy as np
import timm
import torch
from torch import nn

from polyfacet.encodings.base import Encoded
from polyfacet.encodings.pixels import Pixels
from polyfacet.networks.threads import one_thread

# Small, for a few hundred to a few thousand pictures on one processor core: without the last of the four
# stages, which has three quarters of the weights.
ARCHITECTURE, STAGE = "resnet10t", 3
# Numbers per material.
SIZE = 128
# Pixels become numbers from -1 to 1.
HALF = 127.5


class PictureNetwork(nn.Module):
    """From the pictures of a material to scaled properties.

    Parameters
    ----------
    n_properties
        Number of properties that the head predicts.
    """

    def __init__(self, n_properties: int) -> None:
        super().__init__()
        self.backbone = timm.create_model(
            ARCHITECTURE, pretrained=False, features_only=True, out_indices=(STAGE,)
        )
        self.embedding = nn.Linear(self.backbone.feature_info.channels()[0], SIZE)
        self.head = nn.Linear(SIZE, n_properties)

    def embed(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return the mean embedding of each material's views.

        Parameters
        ----------
        pixels
            Bytes, shape ``(materials, views, 3, height, width)``.

        Returns
        -------
        torch.Tensor
            Shape ``(materials, 128)``.
        """
        (maps,) = self.backbone(pixels.flatten(0, 1).float() / HALF - 1)
        of_views = self.embedding(maps.mean(dim=(2, 3))).relu()
        return of_views.unflatten(0, pixels.shape[:2]).mean(dim=1)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Map pictures to shape ``(materials, properties)``."""
        return self.head(self.embed(pixels))


def new_network(n_properties: int, seed: int) -> PictureNetwork:
    """Return a network with random weights, ready for evaluation."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return PictureNetwork(n_properties).eval()


def embed(network: PictureNetwork, pictures: Iterable[Pixels]) -> Encoded:
    """Embed the pictures of materials, shape ``(materials, 128)``.

    One material at a time, on one thread: the rounding of a sum depends on the batch and on the thread count.
    """
    with torch.inference_mode(), one_thread():
        found = [network.embed(torch.from_numpy(pixels)[None])[0].numpy() for pixels in pictures]
    return np.stack(found) if found else np.empty((0, SIZE), dtype=np.float32)
