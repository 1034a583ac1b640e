"""State of a training, saved to a file so that an interrupted training can resume."""

import json
import logging
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from polyfacet.runtime.files import atomic_path

logger = logging.getLogger(__name__)

PROGRESS_KEY = "progress"


@dataclass
class TrainingState:
    """Progress of a training, and the weights of its best epoch.

    Parameters
    ----------
    digest
        Identifies the training: its inputs and settings.
    epoch
        Number of completed epochs.
    best_epoch
        The epoch with the lowest validation error, counted from 1; 0 if no error was finite.
    best_error
        The validation error of that epoch.
    best_weights
        State of the model after that epoch.
    step, loss_sum
        Number of completed steps of the epoch that has begun, and the sum of their losses.
    losses
        Mean loss of the steps of each epoch, for trainings that report theirs.
    loss_scale
        State of the scale of losses in half precision; empty otherwise.
    """

    digest: str
    epoch: int = 0
    best_epoch: int = 0
    best_error: float = float("inf")
    best_weights: dict[str, torch.Tensor] = field(default_factory=dict)
    step: int = 0
    loss_sum: float = 0.0
    losses: list[float] = field(default_factory=list)
    loss_scale: dict[str, float] = field(default_factory=dict)

    def finish_step(self, loss: float) -> None:
        """Record a step of the epoch that has begun."""
        self.step += 1
        self.loss_sum += loss

    def finish_epoch(self, error: float, model: nn.Module) -> None:
        """Record an epoch's validation error, and the weights if the error is the lowest.

        An error that is not finite is never the lowest, not even in the first epoch.
        """
        self.epoch += 1
        if self.step:
            self.losses.append(self.loss_sum / self.step)
        self.step, self.loss_sum = 0, 0.0
        if math.isfinite(error) and error < self.best_error:
            self.best_epoch, self.best_error = self.epoch, error
            self.best_weights = {name: tensor.clone() for name, tensor in model.state_dict().items()}

    def save(self, path: Path, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        """Write everything that the next step needs, as safetensors."""
        tensors = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
        tensors |= {f"best.{name}": tensor for name, tensor in self.best_weights.items()}
        for number, moments in optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{number}.{name}": tensor for name, tensor in moments.items()}
        progress = {
            "digest": self.digest,
            "epoch": self.epoch,
            "best_epoch": self.best_epoch,
            "best_error": self.best_error,
            "step": self.step,
            "loss_sum": self.loss_sum,
            "losses": self.losses,
            "loss_scale": self.loss_scale,
        }
        with atomic_path(path) as part:
            save_file(
                {name: tensor.cpu().contiguous() for name, tensor in tensors.items()},
                part,
                metadata={PROGRESS_KEY: json.dumps(progress)},
            )

    @classmethod
    def load(cls, path: Path, digest: str, model: nn.Module, optimizer: torch.optim.Optimizer) -> Self | None:
        """Restore model and optimizer from a file; return None if it is missing or of another training."""
        if not path.is_file():
            return None
        try:
            with safe_open(path, framework="pt") as file:
                progress = json.loads(file.metadata()[PROGRESS_KEY])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
        except (SafetensorError, OSError) as error:
            logger.warning("%s cannot be read (%s): training starts over", path, error)
            return None
        if progress["digest"] != digest:
            logger.warning("%s has different inputs or settings: training starts over", path)
            return None
        model.load_state_dict(_below("model", tensors))
        moments: dict[int, dict[str, torch.Tensor]] = {}
        for name, tensor in _below("optimizer", tensors).items():
            number, moment = name.split(".")
            moments.setdefault(int(number), {})[moment] = tensor
        optimizer.load_state_dict({**optimizer.state_dict(), "state": moments})
        return cls(**progress, best_weights=_below("best", tensors))


def _below(prefix: str, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return the tensors whose names have a prefix, keyed by the names without it."""
    start = f"{prefix}."
    return {name.removeprefix(start): tensor for name, tensor in tensors.items() if name.startswith(start)}
