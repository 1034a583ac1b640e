"""Training of the network on several properties at once, which goes on from its last epoch if interrupted."""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.functional import smooth_l1_loss
from torch_geometric.data import Batch, Data

from polyfacet.errors import UserError
from polyfacet.identifiers import stable_hash
from polyfacet.progress import tell, track
from polyfacet.splitting import TEST, TRAIN, split_materials
from polyfacet.structure_facet.crystal_graph import CrystalGraph
from polyfacet.structure_facet.devices import one_thread
from polyfacet.structure_facet.network import PotNet, PropertyHead, network_input
from polyfacet.structure_facet.training_state import TrainingState

# Share of the steps in which the learning rate rises; it falls as a cosine afterwards.
WARM_UP = 0.1
# Errors below this share of a target's spread count squared: gradients fade out where a prediction is right.
QUADRATIC_BELOW = 0.1
MAX_GRADIENT_NORM = 1.0
MIN_MATERIALS = 10


@dataclass(frozen=True)
class TrainingConfig:
    """How the network is trained.

    Parameters
    ----------
    epochs
        Passes over the materials, at most.
    batch_size
        Materials per step, at least; less than twice as many.
    learning_rate
        Its peak.
    weight_decay
        Decay of the weights (AdamW).
    patience
        Epochs without a lower validation error after which training stops.
    validation_fraction
        Share of the training part that chooses the epoch instead of being trained on.
    """

    epochs: int = 60
    batch_size: int = 32
    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    patience: int = 20
    validation_fraction: float = 0.1


@dataclass(frozen=True, eq=False)
class Examples:
    """Materials to learn from.

    Parameters
    ----------
    inputs
        What the network takes; see `polyfacet.structure_facet.network.network_input`.
    values
        Properties, shape ``(materials, properties)``, in their units; NaN where one is unknown.
    """

    inputs: Sequence[Data]
    values: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TargetScale:
    """Centre and spread of each property, which bring all of them to one scale.

    The median and the mean absolute deviation around it: most targets have long tails.
    """

    centre: NDArray[np.float64]
    spread: NDArray[np.float64]

    @classmethod
    def fit(cls, values: NDArray[np.float64]) -> Self:
        """Fit on values of shape ``(materials, properties)``; what does not vary keeps its unit."""
        centre = np.nanmedian(values, axis=0)
        spread = np.nanmean(np.abs(values - centre), axis=0)
        return cls(centre, np.where(spread > 0, spread, 1.0))

    def normalise(self, values: NDArray[np.float64]) -> torch.Tensor:
        """Bring values to the common scale, in single precision."""
        return torch.tensor((values - self.centre) / self.spread, dtype=torch.float32)


class PropertyNetwork(nn.Module):
    """The network with its head: from crystals to properties on their common scale."""

    def __init__(self, network: PotNet, n_properties: int) -> None:
        super().__init__()
        self.network = network
        self.head = PropertyHead(network.config, n_properties)

    def forward(self, data: Data) -> torch.Tensor:
        """Map a batch to shape ``(crystals, properties)``."""
        return self.head(self.network(data))


def train_on_properties(
    network: PotNet,
    graphs: Sequence[CrystalGraph],
    properties: pd.DataFrame,
    config: TrainingConfig,
    *,
    seed: int,
    state: Path,
) -> dict[str, float]:
    """Train a network in place on the graphs of the training part; see `train`.

    The validation materials are chosen by formula, whatever the split's method: polymorphs of what was
    trained on would hide overfitting.

    Parameters
    ----------
    network, config, seed, state
        See `train`.
    graphs
        Graphs of the training part.
    properties
        ``formula`` and one column per property, NaN where one is unknown; mat_id as index.

    Raises
    ------
    UserError
        If there are too few materials to train and validate on.
    """
    if len(graphs) < MIN_MATERIALS:
        raise UserError(
            f"a trained embedding needs at least {MIN_MATERIALS} training materials with a graph; there are "
            f"{len(graphs)}. Raise n_materials, or set graphs.embedding to calibrated."
        )
    names = [name for name in properties.columns if name != "formula"]
    formulas = properties["formula"].to_dict()
    parts = split_materials(
        {graph.mat_id: formulas[graph.mat_id] for graph in graphs},
        "formula",
        1 - config.validation_fraction,
        seed,
        repeat=0,
    )
    examples = {}
    for part in (TRAIN, TEST):
        chosen = sorted((g for g in graphs if parts[g.mat_id] == part), key=lambda graph: graph.mat_id)
        values = properties.loc[[graph.mat_id for graph in chosen], names].to_numpy(dtype=np.float64)
        examples[part] = Examples([network_input(graph) for graph in chosen], values)
    return train(network, examples[TRAIN], examples[TEST], config, seed=seed, properties=names, state=state)


def train(
    network: PotNet,
    training: Examples,
    validation: Examples,
    config: TrainingConfig,
    *,
    seed: int,
    properties: Sequence[str],
    state: Path,
) -> dict[str, float]:
    """Train a network in place; it ends as it was after the epoch of the lowest validation error.

    Runs on one thread, in an order that seed and epoch decide: the weights depend neither on the number of
    cores nor on interruptions.  (On a GPU sums have no fixed order, and weights differ from run to run.)

    Parameters
    ----------
    network
        Initial weights, on the device to train on.
    training, validation
        What is trained on; what chooses the epoch.
    config
        How to train.
    seed
        Seed of the head's weights and of the order of the materials.
    properties
        Names of the columns of ``values``.
    state
        File that keeps the state of the last finished epoch.  One of other inputs or settings is not used.

    Returns
    -------
    dict
        Property to mean absolute validation error, in units of its spread over ``training``.
    """
    scale = TargetScale.fit(training.values)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = PropertyNetwork(network, len(properties)).to(network.readout.weight.device)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
    )
    digest = _digest(model, [training, validation], config, seed)
    progress = TrainingState.load(state, digest, model, optimizer) or TrainingState(digest)
    if progress.epoch:
        tell(f"training: goes on after epoch {progress.epoch} of {config.epochs}")
    with one_thread():
        for epoch in track(range(progress.epoch, config.epochs), "training, epochs"):
            if epoch - progress.best_epoch >= config.patience:
                break
            _train_epoch(model, optimizer, training, scale, config, seed, epoch)
            errors = _errors(model, validation, scale, config.batch_size)
            progress.finish_epoch(float(np.nanmean(errors)), model)
            progress.save(state, model, optimizer)
        model.load_state_dict(progress.best_weights)
        model.eval()
        errors = _errors(model, validation, scale, config.batch_size)
    named = dict(zip(properties, errors.tolist(), strict=True))
    shown = ", ".join(f"{name} {error:.3f}" for name, error in named.items())
    tell(f"training: epoch {progress.best_epoch} of {progress.epoch} is the best; validation error {shown}")
    return named


def _train_epoch(
    model: PropertyNetwork,
    optimizer: torch.optim.Optimizer,
    examples: Examples,
    scale: TargetScale,
    config: TrainingConfig,
    seed: int,
    epoch: int,
) -> None:
    order = np.random.default_rng(stable_hash("epoch", seed, epoch)).permutation(len(examples.inputs))
    batches = _batches(order, config.batch_size)
    values = scale.normalise(examples.values)
    device = model.network.readout.weight.device
    model.train()
    for number, rows in enumerate(batches):
        done = (epoch + (number + 1) / len(batches)) / config.epochs
        for group in optimizer.param_groups:
            group["lr"] = config.learning_rate * _one_cycle(done)
        predicted = model(Batch.from_data_list([examples.inputs[row] for row in rows]).to(device))
        expected = values[rows].to(device)
        # What is unknown counts as predicted right.
        expected = torch.where(torch.isnan(expected), predicted.detach(), expected)
        loss = smooth_l1_loss(predicted, expected, beta=QUADRATIC_BELOW)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), MAX_GRADIENT_NORM)
        optimizer.step()


def _batches(order: NDArray[np.int64], size: int) -> list[NDArray[np.int64]]:
    """Cut into batches of at least a size: too few materials have no statistics to normalise by."""
    return np.array_split(order, max(1, len(order) // size))


def _one_cycle(done: float) -> float:
    """Share of the peak learning rate after a share of the training."""
    if done < WARM_UP:
        return done / WARM_UP
    return 0.5 * (1 + math.cos(math.pi * (done - WARM_UP) / (1 - WARM_UP)))


def _errors(
    model: PropertyNetwork, examples: Examples, scale: TargetScale, batch_size: int
) -> NDArray[np.float64]:
    """Mean absolute error of each property, in units of its spread; NaN where no value is known."""
    device = model.network.readout.weight.device
    model.eval()
    with torch.inference_mode():
        predicted = torch.cat(
            [
                model(Batch.from_data_list([examples.inputs[row] for row in rows]).to(device)).cpu()
                for rows in _batches(np.arange(len(examples.inputs)), batch_size)
            ]
        )
    wrong = (predicted - scale.normalise(examples.values)).abs().double()
    known = ~torch.isnan(wrong)
    return (wrong.nan_to_num().sum(dim=0) / known.sum(dim=0)).numpy()


def _digest(model: PropertyNetwork, parts: Sequence[Examples], config: TrainingConfig, seed: int) -> str:
    """Identify a training by all that decides its outcome: settings, initial weights and examples."""
    device = model.network.readout.weight.device.type
    settings = {"config": asdict(config), "seed": seed, "device": device, "torch": torch.__version__}
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
