"""Training of the network on several properties at once; an interrupted training resumes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from polyfacet.config.graphs import NetworkTraining
from polyfacet.facets.graph.example_store import ExampleStore
from polyfacet.facets.graph.network import PotNet
from polyfacet.facets.graph.property_network import PropertyNetwork, predict
from polyfacet.facets.graph.training_examples import Examples, StoredExamples
from polyfacet.facets.graph.training_processes import train_in_processes
from polyfacet.facets.graph.training_run import TrainingRun
from polyfacet.networks import loop
from polyfacet.networks.epoch_choice import EpochChoice
from polyfacet.networks.properties import left_out
from polyfacet.networks.target_scale import TargetScale
from polyfacet.networks.threads import one_thread
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.progress import tell


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
    losses
        Mean loss of each epoch.
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
    losses: Sequence[float]

    def record(self, batch_size: int) -> dict[str, Any]:
        """Return a record of the training, with validation errors of the network's current weights."""
        with one_thread():
            predicted = predict(self.model, self.validation.steps(batch_size), self.validation.ranks)
        return {
            "n_train": self.n_train,
            "n_valid": self.n_valid,
            "epoch": self.epoch,
            "epochs": self.epochs,
            "chosen_by": self.chosen_by,
            "diverged": self.diverged,
            "losses": list(self.losses),
            "validation_errors": self.choice.report(predicted, self.names),
            "left_out": dict(self.left_out),
        }


def train_on_properties(
    network: PotNet,
    store: ExampleStore,
    properties: Sequence[str],
    config: NetworkTraining,
    *,
    seed: int,
    state: Path,
) -> Trained:
    """Train a network in place on materials on disk, in one or several processes; see `train`.

    Raises
    ------
    NothingToLearnError
        If no property varies among the training materials.
    UserError
        If the training diverges.
    """
    training, validation = StoredExamples(store, held_out=False), StoredExamples(store, held_out=True)
    return train(network, training, validation, config, seed=seed, properties=properties, state=state)


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

    The loop is `polyfacet.networks.loop.train_in_steps`; seed and epoch determine the order of the materials.
    (On a GPU, sums have no fixed order, and weights differ from run to run.)

    Parameters
    ----------
    network
        Network with its initial weights, on the device to train on.
    training, validation
        Materials to train on, and materials that choose the epoch; on disk, if there are several processes.
    config
        Training settings.
    seed
        Seed of the head's weights and of the order of the materials.
    properties
        Names of the columns of ``values``.
    state
        File that keeps the state.  A state with different inputs or settings is ignored.

    Raises
    ------
    NothingToLearnError
        If no property varies among the training materials.
    UserError
        If there are too few materials for the parts of a step, or no epoch ends with finite predictions.
    """
    _check_parts(len(training.ranks), len(validation.ranks), config)
    values = training.values
    scale = TargetScale.fit(values)
    omitted = left_out(values, scale, properties)
    del values
    model = _with_head(network, len(properties), seed)
    run = TrainingRun(training, validation, scale, config, seed)
    plan = loop.Plan("training", run.digest(model), state, config.epochs, config.patience)
    in_processes = config.processes * config.nodes > 1
    ended = train_in_processes(run, model, plan) if in_processes else run.train(model, plan)
    _log_end(ended, config)
    return Trained(
        model,
        validation,
        EpochChoice.among(validation.values, scale),
        properties,
        omitted,
        len(training.ranks),
        len(validation.ranks),
        ended.epoch,
        ended.n_epochs,
        "validation" if run.judges is validation else "training",
        ended.diverged,
        ended.losses,
    )


def _check_parts(n_train: int, n_valid: int, config: NetworkTraining) -> None:
    """Reject settings that leave a part of a step, or a process, without enough materials."""
    n_processes = config.processes * config.nodes
    if config.n_parts > 1 and (n_train < 2 * config.n_parts or n_valid < n_processes):
        raise UserError(
            f"{n_train} materials to train on and {n_valid} to validate are too few for {config.n_parts} "
            f"parts of a step (graphs.training: processes x nodes x accumulation) in {n_processes} "
            "processes: each part needs two materials, and each process one to validate. Lower them."
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
