"""Learning of several properties at once, some of them unknown or constant: loss, learning rate, steps."""

import logging
import math
from collections.abc import Iterable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn.functional import smooth_l1_loss

from polyfacet.networks.held_out import NothingToLearnError
from polyfacet.networks.target_scale import TargetScale

logger = logging.getLogger(__name__)

# Share of the steps during which the learning rate rises; it then falls as a cosine.
WARM_UP = 0.1
# Errors below this share of a target's spread enter squared: gradients vanish as predictions become right.
QUADRATIC_BELOW = 0.1
MAX_GRADIENT_NORM = 1.0


def left_out(values: NDArray[np.float64], scale: TargetScale, properties: Sequence[str]) -> dict[str, str]:
    """Return the properties that cannot be learned, and why.

    Raises
    ------
    NothingToLearnError
        If none can.
    """
    reasons = {}
    for t, name in enumerate(properties):
        if scale.learnable[t]:
            continue
        known = int(np.isfinite(values[:, t]).sum())
        constant = f"all {known} known training values are {scale.centre[t]:g}"
        reasons[name] = constant if known else "no training value is known"
        logger.warning("%s is left out of the loss: %s", name, reasons[name])
    if len(reasons) == len(properties):
        raise NothingToLearnError("; ".join(f"{name}: {why}" for name, why in reasons.items()))
    return reasons


def property_loss(predicted: torch.Tensor, expected: torch.Tensor, n_learnable: int) -> torch.Tensor:
    """Return the Huber loss, averaged over all materials and all properties that can be learned.

    Parameters
    ----------
    predicted, expected
        Scaled values, shape ``(materials, properties)``; unknown and constant targets are NaN, and contribute
        zero loss.
    n_learnable
        Number of properties that can be learned.
    """
    ignored = torch.isnan(expected)
    total = smooth_l1_loss(
        torch.where(ignored, 0.0, predicted),
        torch.where(ignored, 0.0, expected),
        beta=QUADRATIC_BELOW,
        reduction="sum",
    )
    return total / (len(expected) * n_learnable)


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
    """Take one step per batch of an epoch; return False if loss or gradient is not finite (weights unusable).

    Parameters
    ----------
    model, optimizer
        Network in training mode, and the optimizer of its weights.
    losses
        Loss of each batch with the current weights, computed when it is asked for.
    n_batches
        Number of batches.
    learning_rate
        Peak of the learning rate, which follows `one_cycle`.
    epoch, epochs
        Number of preceding epochs, and of all.
    """
    computed = iter(losses)
    for number in range(n_batches):
        done = (epoch + (number + 1) / n_batches) / epochs
        for group in optimizer.param_groups:
            group["lr"] = learning_rate * one_cycle(done)
        loss = next(computed)
        optimizer.zero_grad()
        loss.backward()
        norm = nn.utils.clip_grad_norm_(model.parameters(), MAX_GRADIENT_NORM)
        if not (loss.isfinite() and norm.isfinite()):
            logger.warning("training stops in epoch %d: loss or gradient is not finite", epoch + 1)
            return False
        optimizer.step()
    return True


def one_cycle(done: float) -> float:
    """Return the share of the peak learning rate after a share of the training."""
    if done < WARM_UP:
        return done / WARM_UP
    return 0.5 * (1 + math.cos(math.pi * (done - WARM_UP) / (1 - WARM_UP)))


def batches(order: NDArray[np.int64], size: int) -> list[NDArray[np.int64]]:
    """Divide into batches of at least ``size``: batch normalisation needs enough materials per batch."""
    return np.array_split(order, max(1, len(order) // size))
