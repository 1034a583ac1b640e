"""Training of the network: the published optimiser, with the weights of the epoch that validates best."""

import hashlib
import math
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from torch.nn.functional import cross_entropy, mse_loss

from polyfacet.facets.graph.training_state import TrainingState
from polyfacet.runtime.progress import tell, track
from polyfacet.training.engines.base import EngineError
from polyfacet.training.engines.mcvn.network import MCVN
from polyfacet.training.engines.mcvn.settings import MCVNSettings

# The learning rate falls by a tenth every so many steps.
DECAY, DECAY_STEPS = 0.9, 500
# An interruption costs at most so much training.
SAVE_EVERY_S = 20.0


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
        The epoch of the lowest validation loss, counted from 1, and that loss.
    n_epochs
        Epochs that were trained.
    """

    epoch: int
    validation_loss: float
    n_epochs: int
    # Whether the last epochs had no finite loss; the weights kept are those of an epoch before.
    diverged: bool


def train(
    network: MCVN,
    training: Examples,
    validation: Examples,
    settings: MCVNSettings,
    seed: int,
    states: Path | None = None,
) -> Outcome:
    """Train a network in place; it ends as it was after the epoch of the lowest validation loss.

    Loss is the mean squared error of scaled numbers, or the cross entropy of classes.

    Parameters
    ----------
    network
        Its weights are the start.
    training, validation
        Rows to learn from; rows that choose the epoch.
    settings, seed
        How it is trained; seed of the order of rows.
    states
        Folder of the states of trainings.  A training that finds its own goes on after the last saved epoch,
        and ends with the same weights as without the interruption; None keeps no state.

    Raises
    ------
    EngineError
        If no epoch ends in a finite loss.
    """
    optimizer = torch.optim.Adam(network.parameters(), lr=settings.learning_rate, fused=True)
    generator = torch.Generator().manual_seed(seed)
    digest = _digest(network, training, validation, settings, seed)
    file = None if states is None else states / f"{digest}.safetensors"
    state = _resumed(file, digest, network, optimizer)
    steps_per_epoch = len(_batches(training, settings.batch_size, torch.Generator()))
    for _ in range(state.epoch):
        _batches(training, settings.batch_size, generator)
    step, saved_at = state.epoch * steps_per_epoch, time.monotonic()
    _set_learning_rate(optimizer, settings.learning_rate, step)
    for epoch in track(range(state.epoch + 1, settings.max_epochs + 1), "MCVN, epochs"):
        if epoch - state.best_epoch > settings.patience:
            break
        network.train()
        for rows in _batches(training, settings.batch_size, generator):
            optimizer.zero_grad()
            _loss(network, training.at(rows)).backward()
            optimizer.step()
            step += 1
            if step % DECAY_STEPS == 0:
                _set_learning_rate(optimizer, settings.learning_rate, step)
        loss = _validation_loss(network, validation)
        state.finish_epoch(loss, network)
        if file is not None and time.monotonic() - saved_at >= SAVE_EVERY_S:
            state.save(file, network, optimizer)
            saved_at = time.monotonic()
    if file is not None:
        state.save(file, network, optimizer)
    if not math.isfinite(state.best_error):
        raise EngineError("training diverged: the validation loss is not finite. Lower learning_rate.")
    diverged = not math.isfinite(_validation_loss(network, validation))
    said = "diverged" if diverged else "stopped"
    tell(f"MCVN: {said} after epoch {state.epoch}, the best is {state.best_epoch} ({state.best_error:.6g})")
    network.load_state_dict(state.best_weights)
    network.eval()
    return Outcome(state.best_epoch, state.best_error, state.epoch, diverged)


def _resumed(
    path: Path | None, digest: str, network: MCVN, optimizer: torch.optim.Optimizer
) -> TrainingState:
    """Return the state to go on from, that of a file if it is of the same training."""
    found = None if path is None else TrainingState.load(path, digest, network, optimizer)
    return found or TrainingState(digest)


def _digest(
    network: MCVN, training: Examples, validation: Examples, settings: MCVNSettings, seed: int
) -> str:
    """Identify a training by its first weights, its rows and its settings, of which epochs may be added."""
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


def _batches(examples: Examples, size: int, generator: torch.Generator) -> tuple[torch.Tensor, ...]:
    """Cut shuffled rows into batches of at least a size: a row alone has nothing to be normalised by."""
    n = len(examples.answers)
    return torch.randperm(n, generator=generator).tensor_split(max(1, n // size))


def _loss(network: nn.Module, examples: Examples) -> torch.Tensor:
    outputs = network(examples.original, examples.images)
    if examples.answers.is_floating_point():
        return mse_loss(outputs[:, 0], examples.answers)
    return cross_entropy(outputs, examples.answers)


def _validation_loss(network: MCVN, validation: Examples) -> float:
    network.eval()
    with torch.inference_mode():
        return float(_loss(network, validation))
