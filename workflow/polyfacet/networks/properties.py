"""Learning of several properties at once, some of them unknown or constant: loss, batches."""

import logging
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import smooth_l1_loss

from polyfacet.networks.held_out import NothingToLearnError
from polyfacet.networks.target_scale import TargetScale

logger = logging.getLogger(__name__)

# Errors below this share of a target's spread enter squared: gradients vanish as predictions become right.
QUADRATIC_BELOW = 0.1


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


def property_loss(
    predicted: torch.Tensor, expected: torch.Tensor, n_learnable: int, n_materials: int | None = None
) -> torch.Tensor:
    """Return the Huber loss, averaged over all materials and all properties that can be learned.

    Parameters
    ----------
    predicted, expected
        Scaled values, shape ``(materials, properties)``; unknown and constant targets are NaN, and contribute
        zero loss.
    n_learnable
        Number of properties that can be learned.
    n_materials
        Number of materials over which the loss is averaged, if these are a part of them.
    """
    ignored = torch.isnan(expected)
    total = smooth_l1_loss(
        torch.where(ignored, 0.0, predicted),
        torch.where(ignored, 0.0, expected),
        beta=QUADRATIC_BELOW,
        reduction="sum",
    )
    return total / ((n_materials or len(expected)) * n_learnable)


def batches(order: NDArray[np.int64], size: int) -> list[NDArray[np.int64]]:
    """Divide into batches of at least ``size``: batch normalisation needs enough materials per batch."""
    return np.array_split(order, max(1, len(order) // size))
