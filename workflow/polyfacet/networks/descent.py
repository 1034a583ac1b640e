"""Steps of a training: learning rate, gradients of all parts of a batch, limit of their norm, update."""

import logging
import math
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import torch
from torch import nn

from polyfacet.networks.loop import Epoch
from polyfacet.networks.precision import Precision
from polyfacet.networks.processes import own_share, total

T = TypeVar("T")

logger = logging.getLogger(__name__)

# Share of the steps during which the learning rate rises; it then falls as a cosine.
WARM_UP = 0.1
MAX_GRADIENT_NORM = 1.0


@dataclass(frozen=True, eq=False)
class Descent(Generic[T]):
    """What every step of a training has in common.

    Parameters
    ----------
    model, optimizer
        Network in training mode, possibly one of several processes (`processes.in_parallel`), and the
        optimizer of its weights.
    loss
        Computes the loss of a part of a batch.  A step uses the mean over all processes of the sum over the
        parts of each.
    learning_rate
        Peak of the learning rate, which follows `one_cycle`.
    epochs
        Number of epochs.
    precision
        Precision of the computation.
    """

    model: nn.Module
    optimizer: torch.optim.Optimizer
    loss: Callable[[T], torch.Tensor]
    learning_rate: float
    epochs: int
    precision: Precision = field(default_factory=Precision)

    def run(self, epoch: Epoch, batches: Iterable[Sequence[T]], n_steps: int) -> bool:
        """Take the steps of an epoch; return False if loss or gradient is not finite (weights unusable).

        Parameters
        ----------
        epoch
            The epoch.
        batches
            Parts of each batch, from the first step of the epoch on.  All processes have as many parts.
        n_steps
            Number of steps of the whole epoch.
        """
        for step, parts in enumerate(batches, start=epoch.first_step):
            # The last step has a rate of 0: a single one would teach nothing.
            is_only_one = self.epochs * n_steps == 1
            self._set_rate(WARM_UP if is_only_one else (epoch.number + (step + 1) / n_steps) / self.epochs)
            loss = self._gradients(parts)
            if not self._update(loss):
                logger.warning("training stops in epoch %d: loss or gradient is not finite", epoch.number + 1)
                return False
            epoch.finish_step(loss.item())
        return True

    def _set_rate(self, done: float) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate * one_cycle(done)

    def _gradients(self, parts: Sequence[T]) -> torch.Tensor:
        """Compute the gradients of all parts and return the loss, the same in all processes."""
        self.optimizer.zero_grad()
        losses = []
        for number, part in enumerate(parts, start=1):
            with self._exchange(last=number == len(parts)):
                with self.precision.computing():
                    loss = self.loss(part)
                self.precision.backward(loss)
            losses.append(loss.detach())
        summed = torch.stack(losses).sum()
        return total(summed) / own_share().of

    def _exchange(self, last: bool) -> AbstractContextManager[object]:
        """Let the processes exchange gradients after the last part only."""
        if last or not isinstance(self.model, nn.parallel.DistributedDataParallel):
            return nullcontext()
        return self.model.no_sync()

    def _update(self, loss: torch.Tensor) -> bool:
        """Update the weights; return whether loss and gradient are finite."""
        self.precision.unscale(self.optimizer)
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), MAX_GRADIENT_NORM)
        if not (loss.isfinite() and (norm.isfinite() or self.precision.loss_scale)):
            return False
        self.precision.step(self.optimizer)
        return True


def one_cycle(done: float) -> float:
    """Return the share of the peak learning rate after a share of the training."""
    if done < WARM_UP:
        return done / WARM_UP
    return 0.5 * (1 + math.cos(math.pi * (done - WARM_UP) / (1 - WARM_UP)))


def descend(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    losses: Iterable[torch.Tensor],
    n_batches: int,
    *,
    learning_rate: float,
    epoch: int,
    epochs: int,
) -> bool:
    """Take one step per batch of a whole epoch in one process; see `Descent`.

    Parameters
    ----------
    model, optimizer, learning_rate, epochs
        See `Descent`.
    losses
        Loss of each batch with the current weights, computed when it is asked for.
    n_batches
        Number of batches.
    epoch
        Number of preceding epochs.
    """
    computed = iter(losses)
    descent: Descent[None] = Descent(model, optimizer, lambda _: next(computed), learning_rate, epochs)
    return descent.run(Epoch(epoch), ([None] for _ in range(n_batches)), n_batches)
