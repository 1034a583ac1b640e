"""Training of the picture network on several properties at once; an interrupted training resumes."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from polyfacet.encodings.picture_network import ARCHITECTURE, PictureNetwork
from polyfacet.encodings.pixels import Pixels
from polyfacet.networks import loop
from polyfacet.networks.descent import descend
from polyfacet.networks.epoch_choice import EpochChoice
from polyfacet.networks.held_out import NothingToLearnError
from polyfacet.networks.properties import batches, left_out, property_loss
from polyfacet.networks.target_scale import TargetScale
from polyfacet.networks.threads import one_thread
from polyfacet.runtime.identifiers import stable_hash

# The learning rate falls to 0 within these, so that no training stops earlier.
EPOCHS = 15
BATCH = 16
LEARNING_RATE, WEIGHT_DECAY = 1e-3, 0.05
# Part of the digest of a training: states saved by an older method are ignored.
METHOD = 1


@dataclass(frozen=True, eq=False)
class Pictures:
    """Pictures to learn from.

    Attributes
    ----------
    pixels
        Shape ``(materials, views, 3, height, width)``.
    values
        Properties, shape ``(materials, properties)``, in their units; NaN where unknown.
    """

    pixels: Pixels
    values: NDArray[np.float64]


def train(
    network: PictureNetwork,
    training: Pictures,
    validation: Pictures,
    names: list[str],
    *,
    seed: int,
    may_be_flipped: bool,
    state: Path | None,
) -> dict[str, Any]:
    """Train a network in place; it ends with the weights of the epoch with the lowest validation error.

    Loss, scale of the targets and choice of the epoch are those of the network of crystal graphs
    (`polyfacet.networks.properties`, `TargetScale`, `EpochChoice`).

    Parameters
    ----------
    network
        Network with its initial weights.
    training, validation
        Pictures to train on, and pictures that choose the epoch; both of the training part.
    names
        Names of the properties.
    seed
        Seed of the order of the materials and of the flips.
    may_be_flipped
        Whether half of the pictures are flipped horizontally, anew in each epoch.
    state
        File that keeps the state after an epoch; None keeps none.

    Returns
    -------
    dict
        Record of the training, with validation errors by property.

    Raises
    ------
    NothingToLearnError
        If no property varies, no epoch can be chosen, or the training diverges.
    """
    scale = TargetScale.fit(training.values)
    omitted = left_out(training.values, scale, names)
    choice = EpochChoice.among(validation.values, scale)
    if not choice.decides.any():
        raise NothingToLearnError("no value of the materials held out differs from the median")
    optimizer = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    digest = _digest(network, training, validation, seed, may_be_flipped)
    epoch = _Epoch(network, optimizer, training, scale, seed, may_be_flipped)
    ended = loop.train(
        network,
        optimizer,
        loop.Plan("training on pictures", digest, state, EPOCHS, patience=EPOCHS),
        epoch.run,
        lambda: choice.error(_predicted(network, validation.pixels)),
    )
    if not ended.epoch:
        raise NothingToLearnError("the training diverged in its first epoch")
    with one_thread():
        errors = choice.report(_predicted(network, validation.pixels), names)
    return {
        "n_train": len(training.values),
        "n_valid": len(validation.values),
        "epoch": ended.epoch,
        "epochs": ended.n_epochs,
        "diverged": ended.diverged,
        "error": ended.error,
        "validation_errors": errors,
        "left_out": omitted,
    }


@dataclass(frozen=True, eq=False)
class _Epoch:
    """What every epoch trains on."""

    network: PictureNetwork
    optimizer: torch.optim.Optimizer
    training: Pictures
    scale: TargetScale
    seed: int
    may_be_flipped: bool

    def run(self, epoch: int) -> bool:
        """Train on every material once; return False if loss or gradient is not finite."""
        random = np.random.default_rng(stable_hash("epoch of pictures", self.seed, epoch))
        cut = batches(random.permutation(len(self.training.values)), BATCH)
        values = self.scale.normalise(self.training.values)
        n_learnable = int(self.scale.learnable.sum())
        self.network.train()
        losses = (
            property_loss(self.network(self._pixels(rows, random)), values[rows], n_learnable) for rows in cut
        )
        return descend(
            self.network,
            self.optimizer,
            losses,
            len(cut),
            learning_rate=LEARNING_RATE,
            epoch=epoch,
            epochs=EPOCHS,
        )

    def _pixels(self, rows: NDArray[np.int64], random: np.random.Generator) -> torch.Tensor:
        pixels = torch.from_numpy(self.training.pixels[rows])
        if not self.may_be_flipped:
            return pixels
        flipped = torch.from_numpy(random.random(len(rows)) < 0.5)
        return torch.where(flipped[:, None, None, None, None], pixels.flip(-1), pixels)


def _predicted(network: PictureNetwork, pixels: Pixels) -> NDArray[np.float64]:
    """Predict the scaled properties of all materials, shape ``(materials, properties)``."""
    network.eval()
    with torch.inference_mode():
        parts = [network(torch.from_numpy(pixels[rows])) for rows in batches(np.arange(len(pixels)), BATCH)]
    return torch.cat(parts).double().numpy()


def _digest(
    network: PictureNetwork, training: Pictures, validation: Pictures, seed: int, may_be_flipped: bool
) -> str:
    """Return a digest of everything that determines the outcome: settings, initial weights, pictures."""
    settings = [METHOD, ARCHITECTURE, EPOCHS, BATCH, LEARNING_RATE, WEIGHT_DECAY, seed]
    digest = hashlib.sha256(json.dumps([*settings, may_be_flipped, torch.__version__]).encode())
    for name, tensor in network.state_dict().items():
        digest.update(name.encode() + tensor.numpy().tobytes())
    for pictures in (training, validation):
        digest.update(pictures.values.tobytes() + pictures.pixels.tobytes())
    return digest.hexdigest()
