"""Training of the network: the published optimiser, with the weights of the epoch that validates best."""

import copy
import math
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.functional import cross_entropy, mse_loss

from polyfacet.engines.base import EngineError
from polyfacet.engines.mcvn.network import MCVN
from polyfacet.engines.mcvn.settings import MCVNSettings
from polyfacet.progress import track

# The learning rate falls by a tenth every so many steps.
DECAY, DECAY_STEPS = 0.9, 500


@dataclass(frozen=True, eq=False)
class Examples:
    """Rows as tensors.

    Parameters
    ----------
    original
        Scaled original features, shape ``(rows, n_original)``; None without the tabular facet.
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


def train(
    network: MCVN, training: Examples, validation: Examples, settings: MCVNSettings, seed: int
) -> tuple[int, float]:
    """Train a network in place; it ends as it was after the epoch of the lowest validation loss.

    Loss is the mean squared error of scaled numbers, or the cross entropy of classes.

    Returns
    -------
    tuple of int and float
        That epoch, counted from 1, and its validation loss.

    Raises
    ------
    EngineError
        If no epoch ends in a finite loss.
    """
    optimizer = torch.optim.Adam(network.parameters(), lr=settings.learning_rate, fused=True)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, DECAY_STEPS, DECAY)
    generator = torch.Generator().manual_seed(seed)
    best_epoch, best_loss, best_weights = 0, math.inf, network.state_dict()
    for epoch in track(range(1, settings.max_epochs + 1), "MCVN, epochs"):
        if epoch - best_epoch > settings.patience:
            break
        network.train()
        for rows in _batches(training, settings.batch_size, generator):
            optimizer.zero_grad()
            _loss(network, training.at(rows)).backward()
            optimizer.step()
            schedule.step()
        loss = _validation_loss(network, validation)
        if loss < best_loss:
            best_epoch, best_loss, best_weights = epoch, loss, copy.deepcopy(network.state_dict())
    if not best_epoch:
        raise EngineError("training diverged: the validation loss is not finite. Lower learning_rate.")
    network.load_state_dict(best_weights)
    network.eval()
    return best_epoch, best_loss


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
