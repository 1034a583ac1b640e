"""Training of the network on several properties at once; an interrupted training resumes."""

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch_geometric.data import Batch

from polyfacet.config.graphs import NetworkTraining
from polyfacet.facets.graph.crystal_graph import CrystalGraph
from polyfacet.facets.graph.network import PotNet
from polyfacet.facets.graph.property_network import PropertyNetwork, predict
from polyfacet.facets.graph.training_examples import Examples, examples_by_group
from polyfacet.networks import loop
from polyfacet.networks.epoch_choice import EpochChoice
from polyfacet.networks.properties import batches, descend, left_out, property_loss
from polyfacet.networks.target_scale import TargetScale
from polyfacet.networks.threads import one_thread
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.identifiers import stable_hash
from polyfacet.runtime.progress import tell

logger = logging.getLogger(__name__)

# Part of the digest of a training: states saved by an older method are ignored.
METHOD = 2


@dataclass(frozen=True, eq=False)
class Trained:
    """A training that has ended, with what is needed to report how well the network predicts.

    Parameters
    ----------
    model
        The network with its head.
    validation
        Materials whose errors are reported.
    choice
        Measure by which errors are reported, with the true values of ``validation``.
    names, left_out
        Names of the properties; reasons why some of them were left out of the loss.
    n_train, n_valid
        Number of materials trained on, and of those held out to choose the epoch.
    epoch, epochs
        Number of the epoch that was kept, counted from 1, and number of completed epochs.
    chosen_by
        ``validation``, or ``training`` if no validation value could distinguish the epochs.
    diverged
        Whether loss, gradient or predictions of the last epoch were not finite.
    """

    model: PropertyNetwork
    validation: Examples
    choice: EpochChoice
    names: Sequence[str]
    left_out: Mapping[str, str]
    n_train: int
    n_valid: int
    epoch: int
    epochs: int
    chosen_by: str
    diverged: bool

    def record(self, batch_size: int) -> dict[str, Any]:
        """Return a record of the training, with validation errors of the network's current weights."""
        with one_thread():
            predicted = predict(self.model, self.validation, batch_size)
        return {
            "n_train": self.n_train,
            "n_valid": self.n_valid,
            "epoch": self.epoch,
            "epochs": self.epochs,
            "chosen_by": self.chosen_by,
            "diverged": self.diverged,
            "validation_errors": self.choice.report(predicted, self.names),
            "left_out": dict(self.left_out),
        }


def train_on_properties(
    network: PotNet,
    graphs: Sequence[CrystalGraph],
    properties: pd.DataFrame,
    config: NetworkTraining,
    *,
    seed: int,
    state: Path,
) -> Trained:
    """Train a network in place on the graphs of the training part; see `train`.

    Parameters
    ----------
    network, config, seed, state
        See `train`.
    graphs
        Graphs of the training part.
    properties
        ``group`` and one column per property; see `examples_by_group`.

    Raises
    ------
    NothingToLearnError
        If there are too few materials to train and validate on, or no property varies among them.
    UserError
        If the training diverges.
    """
    names = [name for name in properties.columns if name != "group"]
    training, validation = examples_by_group(graphs, properties, config.validation_fraction, seed)
    return train(network, training, validation, config, seed=seed, properties=names, state=state)


def train(
    network: PotNet,
    training: Examples,
    validation: Examples,
    config: NetworkTraining,
    *,
    seed: int,
    properties: Sequence[str],
    state: Path,
) -> Trained:
    """Train a network in place; it ends with the weights of the epoch with the lowest validation error.

    Training minimises the Huber loss of the scaled values (`TargetScale`), averaged over all materials and
    all properties that vary.  `EpochChoice` defines the validation error.

    The loop is `polyfacet.networks.loop.train`; seed and epoch determine the order of the materials.  (On a
    GPU, sums have no fixed order, and weights differ from run to run.)

    Parameters
    ----------
    network
        Network with its initial weights, on the device to train on.
    training, validation
        Materials to train on, and materials that choose the epoch.
    config
        Training settings.
    seed
        Seed of the head's weights and of the order of the materials.
    properties
        Names of the columns of ``values``.
    state
        File that keeps the state after an epoch.  A state with different inputs or settings is ignored.

    Raises
    ------
    NothingToLearnError
        If no property varies among the training materials.
    UserError
        If no epoch ends with finite predictions.
    """
    scale = TargetScale.fit(training.values)
    omitted = left_out(training.values, scale, properties)
    judges, choice = _choose_by(training, validation, scale)
    model = _with_head(network, len(properties), seed)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
    )
    digest = _digest(model, [training, validation], config, seed)
    ended = loop.train(
        model,
        optimizer,
        loop.Plan("training", digest, state, config.epochs, config.patience),
        lambda epoch: _train_epoch(model, optimizer, training, scale, config, seed, epoch),
        lambda: choice.error(predict(model, judges, config.batch_size)),
    )
    _log_end(ended, config)
    return Trained(
        model,
        validation,
        EpochChoice.among(validation.values, scale),
        properties,
        omitted,
        len(training.inputs),
        len(validation.inputs),
        ended.epoch,
        ended.n_epochs,
        "validation" if judges is validation else "training",
        ended.diverged,
    )


def _with_head(network: PotNet, n_properties: int, seed: int) -> PropertyNetwork:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return PropertyNetwork(network, n_properties).to(network.readout.weight.device)


def _log_end(ended: loop.Ended, config: NetworkTraining) -> None:
    """Log how a training ended; raise UserError if no epoch is usable."""
    if not ended.epoch:
        raise UserError(
            "the training of the network diverged: loss or predictions were not finite in any of its epochs "
            f"({ended.n_epochs} of {config.epochs} were completed). Lower graphs.training.learning_rate "
            f"({config.learning_rate:g})."
        )
    tell(
        f"training: epoch {ended.epoch} of {ended.n_epochs} is the best; "
        f"error over that of the median: {ended.error:.3f}"
    )


def _choose_by(training: Examples, validation: Examples, scale: TargetScale) -> tuple[Examples, EpochChoice]:
    """Choose the epoch by the validation materials, or by those trained on if all epochs look the same."""
    choice = EpochChoice.among(validation.values, scale)
    if choice.decides.any():
        return validation, choice
    logger.warning("no validation value differs from the median: the training materials choose the epoch")
    return training, EpochChoice.among(training.values, scale)


def _train_epoch(
    model: PropertyNetwork,
    optimizer: torch.optim.Optimizer,
    examples: Examples,
    scale: TargetScale,
    config: NetworkTraining,
    seed: int,
    epoch: int,
) -> bool:
    """Train on every material once; return False if loss or gradient is not finite (weights unusable)."""
    order = np.random.default_rng(stable_hash("epoch", seed, epoch)).permutation(len(examples.inputs))
    cut = batches(order, config.batch_size)
    values = scale.normalise(examples.values)
    device = model.network.readout.weight.device
    n_learnable = int(scale.learnable.sum())
    model.train()
    losses = (
        property_loss(
            model(Batch.from_data_list([examples.inputs[row] for row in rows]).to(device)),
            values[rows].to(device),
            n_learnable,
        )
        for rows in cut
    )
    return descend(
        model,
        optimizer,
        losses,
        len(cut),
        learning_rate=config.learning_rate,
        epoch=epoch,
        epochs=config.epochs,
    )


def _digest(model: PropertyNetwork, parts: Sequence[Examples], config: NetworkTraining, seed: int) -> str:
    """Return a digest of everything that determines the outcome: settings, initial weights, examples."""
    device = model.network.readout.weight.device.type
    settings = {
        "method": METHOD,
        "config": config.model_dump(),
        "seed": seed,
        "device": device,
        "torch": torch.__version__,
    }
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    weights: Mapping[str, torch.Tensor] = model.state_dict()
    for name, tensor in weights.items():
        digest.update(name.encode() + tensor.cpu().numpy().tobytes())
    for examples in parts:
        digest.update(examples.values.tobytes())
        for data in examples.inputs:
            for key in sorted(data.keys()):
                value = data[key]
                digest.update(value.numpy().tobytes() if torch.is_tensor(value) else str(value).encode())
    return digest.hexdigest()
