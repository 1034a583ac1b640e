"""The training loop of all networks: keeps the best epoch, stops early, resumes after an interruption."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from polyfacet.networks.state import TrainingState
from polyfacet.networks.threads import one_thread
from polyfacet.runtime.progress import tell, track

# An interruption loses at most this much training plus one epoch.
SAVE_EVERY_S = 20.0


@dataclass(frozen=True)
class Plan:
    """Length of a training, and the file that keeps its state.

    Parameters
    ----------
    name
        Name of the training, for the log.
    digest
        Identifies the training by everything that determines its weights.
    file
        File of the state; the state of a different training is ignored.  None keeps no state.
    epochs
        Maximum number of epochs.
    patience
        Training stops after this many epochs without a lower error, once an error was finite.
    """

    name: str
    digest: str
    file: Path | None
    epochs: int
    patience: int


@dataclass(frozen=True)
class Ended:
    """Outcome of a training.

    Parameters
    ----------
    epoch, error
        The epoch with the lowest error, counted from 1, and that error; 0 and infinity if none was finite.
    n_epochs
        Number of completed epochs.
    diverged
        Whether an epoch was abandoned, or the error of the last epoch was not finite.
    """

    epoch: int
    error: float
    n_epochs: int
    diverged: bool


def train(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    plan: Plan,
    run_epoch: Callable[[int], bool],
    error: Callable[[], float],
) -> Ended:
    """Train a network in place; it ends with the weights of the epoch with the lowest error.

    Training runs on one thread.  If seed and epoch determine the order of the examples, the weights depend
    neither on the number of cores nor on interruptions.

    Parameters
    ----------
    model
        Network with its initial weights.
    optimizer
        Optimizer of these weights.
    plan
        Length of the training, and the file that keeps its state.
    run_epoch
        Trains on every example once, given the number of preceding epochs; returns False if it gave up.
    error
        Returns the error of the current weights, by which epochs are compared.
    """
    state = _resumed(plan, model, optimizer)
    saved_at = time.monotonic()
    last_error = None
    gave_up = False
    with one_thread():
        for epoch in track(range(state.epoch, plan.epochs), f"{plan.name}, epochs"):
            if state.best_epoch and epoch - state.best_epoch >= plan.patience:
                break
            if not run_epoch(epoch):
                gave_up = True
                break
            last_error = error()
            state.finish_epoch(last_error, model)
            if plan.file and time.monotonic() - saved_at >= SAVE_EVERY_S:
                state.save(plan.file, model, optimizer)
                saved_at = time.monotonic()
        if plan.file and not gave_up:  # otherwise the weights are those in the middle of an epoch
            state.save(plan.file, model, optimizer)
        diverged = gave_up or not math.isfinite(error() if last_error is None else last_error)
    if state.best_epoch:
        model.load_state_dict(state.best_weights)
    model.eval()
    return Ended(state.best_epoch, state.best_error, state.epoch, diverged)


def _resumed(plan: Plan, model: nn.Module, optimizer: torch.optim.Optimizer) -> TrainingState:
    """Return the saved state if it belongs to the same training, otherwise a new state."""
    found = None if plan.file is None else TrainingState.load(plan.file, plan.digest, model, optimizer)
    if found is None:
        return TrainingState(plan.digest)
    tell(f"{plan.name}: resumes after epoch {found.epoch} of {plan.epochs}")
    return found
