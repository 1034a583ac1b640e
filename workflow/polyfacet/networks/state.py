"""State of a training after an epoch, kept in a file so that it can go on after an interruption."""

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
    """How far a training is, and the weights of its best epoch.

    Parameters
    ----------
    digest
        Identifies the training: its inputs and settings.
    epoch
        Number of finished epochs.
    best_epoch
        Which of them, counted from 1, had the lowest validation error; 0 if none had a finite one.
    best_error
        That error.
    best_weights
        State of the model after it.
    """

    digest: str
    epoch: int = 0
    best_epoch: int = 0
    best_error: float = float("inf")
    best_weights: dict[str, torch.Tensor] = field(default_factory=dict)

    def finish_epoch(self, error: float, model: nn.Module) -> None:
        """Take note of an epoch's validation error, and of the weights if it is the lowest.

        An error that is not finite is never the lowest, not even in the first epoch.
        """
        self.epoch += 1
        if math.isfinite(error) and error < self.best_error:
            self.best_epoch, self.best_error = self.epoch, error
            self.best_weights = {name: tensor.clone() for name, tensor in model.state_dict().items()}

    def save(self, path: Path, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        """Write everything that the next epoch needs, as safetensors."""
        tensors = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
        tensors |= {f"best.{name}": tensor for name, tensor in self.best_weights.items()}
        for number, moments in optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{number}.{name}": tensor for name, tensor in moments.items()}
        progress = {
            "digest": self.digest,
            "epoch": self.epoch,
            "best_epoch": self.best_epoch,
            "best_error": self.best_error,
        }
        with atomic_path(path) as part:
            save_file(
                {name: tensor.cpu().contiguous() for name, tensor in tensors.items()},
                part,
                metadata={PROGRESS_KEY: json.dumps(progress)},
            )

    @classmethod
    def load(cls, path: Path, digest: str, model: nn.Module, optimizer: torch.optim.Optimizer) -> Self | None:
        """Put model and optimizer into the state of the file; None if it is of no or of another training."""
        if not path.is_file():
            return None
        try:
            with safe_open(path, framework="pt") as file:
                progress = json.loads(file.metadata()[PROGRESS_KEY])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
        except (SafetensorError, OSError) as error:
            logger.warning("%s cannot be read (%s): training starts anew", path, error)
            return None
        if progress["digest"] != digest:
            logger.warning("%s is of other inputs or settings: training starts anew", path)
            return None
        model.load_state_dict(_below("model", tensors))
        moments: dict[int, dict[str, torch.Tensor]] = {}
        for name, tensor in _below("optimizer", tensors).items():
            number, moment = name.split(".")
            moments.setdefault(int(number), {})[moment] = tensor
        optimizer.load_state_dict({**optimizer.state_dict(), "state": moments})
        return cls(**progress, best_weights=_below("best", tensors))


def _below(prefix: str, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Select the tensors of a prefix, by their names without it."""
    start = f"{prefix}."
    return {name.removeprefix(start): tensor for name, tensor in tensors.items() if name.startswith(start)}
