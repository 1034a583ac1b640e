"""Train the network with the published optimiser and keep the weights of the best validation epoch."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from torch.nn.functional import cross_entropy, mse_loss

from polyfacet.networks import loop
from polyfacet.runtime.progress import tell
from polyfacet.training.engines.base import EngineError
from polyfacet.training.engines.mcvn.network import MCVN
from polyfacet.training.engines.mcvn.settings import MCVNSettings

# Number of steps after which the learning rate falls by a tenth.
DECAY, DECAY_STEPS = 0.9, 500


@dataclass(frozen=True, eq=False)
class Examples:
    """Rows as tensors.

    Parameters
    ----------
    original
        Scaled original features, shape ``(rows, n_original)``; None without a vector facet.
    images
        Grey values, shape ``(rows, 24, 21)``; None without composition images.
    answers
        Scaled numbers (float64) or indices of classes (int64), shape ``(rows,)``.
    """

    original: torch.Tensor | None
    images: torch.Tensor | None
    answers: torch.Tensor

    def at(self, rows: torch.Tensor) -> "Examples":
        """Select rows."""
        original, images = (None if part is None else part[rows] for part in (self.original, self.images))
        return Examples(original, images, self.answers[rows])


@dataclass(frozen=True)
class Outcome:
    """How a training ended.

    Parameters
    ----------
    epoch, validation_loss
        The epoch with the lowest validation loss, counted from 1, and that loss.
    n_epochs
        Number of trained epochs.
    """

    epoch: int
    validation_loss: float
    n_epochs: int
    # Whether the last epoch had no finite loss; the kept weights are those of an earlier epoch.
    diverged: bool


def train(
    network: MCVN,
    training: Examples,
    validation: Examples,
    settings: MCVNSettings,
    seed: int,
    states: Path | None = None,
) -> Outcome:
    """Train a network in place; it ends with the weights of the epoch with the lowest validation loss.

    The loss is the mean squared error of scaled numbers, or the cross entropy of classes.

    Parameters
    ----------
    network
        Network to train, starting from its weights.
    training, validation
        Rows to learn from; rows that select the epoch.
    settings, seed
        Settings of training; seed of the order of rows.
    states
        Folder of training states.  A training that finds its own state resumes after the last saved epoch
        and ends with the same weights as without the interruption; None keeps no state.

    Raises
    ------
    EngineError
        If no epoch ends in a finite loss.
    """
    optimizer = torch.optim.Adam(network.parameters(), lr=settings.learning_rate, fused=True)
    digest = _digest(network, training, validation, settings, seed)
    file = None if states is None else states / f"{digest}.safetensors"
    order = _Order(len(training.answers), settings.batch_size, seed)

    def run_epoch(epoch: int) -> bool:
        network.train()
        batches = order.of_epoch(epoch)
        for step, rows in enumerate(batches, start=epoch * len(batches)):
            _set_learning_rate(optimizer, settings.learning_rate, step)
            optimizer.zero_grad()
            loss = _loss(network, training.at(rows))
            if not loss.isfinite():  # later ones will not be finite either
                return False
            loss.backward()
            optimizer.step()
        return True

    ended = loop.train(
        network,
        optimizer,
        loop.Plan("MCVN", digest, file, settings.max_epochs, settings.patience),
        run_epoch,
        lambda: _validation_loss(network, validation),
    )
    if not ended.epoch:
        raise EngineError("training diverged: no epoch has a finite loss. Lower learning_rate.")
    said = "diverged" if ended.diverged else "stopped"
    tell(f"MCVN: {said} after epoch {ended.n_epochs}, the best is {ended.epoch} ({ended.error:.6g})")
    return Outcome(ended.epoch, ended.error, ended.n_epochs, ended.diverged)


class _Order:
    """The order of the rows in each epoch; skipped epochs are drawn, too.

    Parameters
    ----------
    n_rows
        Number of rows.
    size
        Minimum number of rows per batch; BatchNorm needs at least two.
    seed
        Seed of the order.
    """

    def __init__(self, n_rows: int, size: int, seed: int) -> None:
        self._n_rows = n_rows
        self._n_batches = max(1, n_rows // size)
        self._generator = torch.Generator().manual_seed(seed)
        self._n_drawn = 0

    def of_epoch(self, epoch: int) -> tuple[torch.Tensor, ...]:
        """Cut shuffled rows into batches."""
        while True:
            rows = torch.randperm(self._n_rows, generator=self._generator)
            self._n_drawn += 1
            if self._n_drawn > epoch:
                return rows.tensor_split(self._n_batches)


def _digest(
    network: MCVN, training: Examples, validation: Examples, settings: MCVNSettings, seed: int
) -> str:
    """Identify a training by its initial weights, rows and settings; the number of epochs may grow."""
    digest = hashlib.sha256(f"{settings.model_dump_json(exclude={'max_epochs', 'patience'})} {seed}".encode())
    rows = [part for each in (training, validation) for part in (each.original, each.images, each.answers)]
    for tensor in (*network.state_dict().values(), *rows):
        digest.update(b"none" if tensor is None else tensor.numpy().tobytes())
    return digest.hexdigest()


def _set_learning_rate(optimizer: torch.optim.Optimizer, initial: float, step: int) -> None:
    """Set the learning rate of a step, multiplied in the order in which a step scheduler does."""
    rate = initial
    for _ in range(step // DECAY_STEPS):
        rate *= DECAY
    optimizer.param_groups[0]["lr"] = rate


def _loss(network: nn.Module, examples: Examples) -> torch.Tensor:
    outputs = network(examples.original, examples.images)
    if examples.answers.is_floating_point():
        return mse_loss(outputs[:, 0], examples.answers)
    return cross_entropy(outputs, examples.answers)


def _validation_loss(network: MCVN, validation: Examples) -> float:
    network.eval()
    with torch.inference_mode():
        return float(_loss(network, validation))
