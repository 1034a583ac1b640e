"""The training loop of all networks: keeps the best epoch, stops early, goes on after an interruption."""

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

# An interruption costs at most so much training, and one epoch.
SAVE_EVERY_S = 20.0


@dataclass(frozen=True)
class Plan:
    """How long a training lasts, and where its state is kept.

    Parameters
    ----------
    name
        What is trained, for the log.
    digest
        Identifies the training by all that decides its weights.
    file
        File of the state; one of another training is not used.  None keeps no state.
    epochs
        Number of epochs at most.
    patience
        Epochs without a lower error after which it stops, once an error was finite.
    """

    name: str
    digest: str
    file: Path | None
    epochs: int
    patience: int


@dataclass(frozen=True)
class Ended:
    """How a training ended.

    Parameters
    ----------
    epoch, error
        The epoch of the lowest error, counted from 1, and that error; 0 and infinity if none was finite.
    n_epochs
        Epochs that were trained.
    diverged
        Whether an epoch was given up, or the last one had no finite error.
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
    """Train a network in place; it ends as it was after the epoch of the lowest error.

    It runs on one thread.  Where the order of the examples follows from seed and epoch, the weights depend
    neither on the number of cores nor on interruptions.

    Parameters
    ----------
    model
        Its weights are the start.
    optimizer
        What changes them.
    plan
        How long, and where the state is kept.
    run_epoch
        Trains on every example once, given the number of epochs before; False where it gave up.
    error
        Error by which the epochs are compared, of the weights as they are.
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
        if plan.file and not gave_up:  # else the weights are those within an epoch
            state.save(plan.file, model, optimizer)
        diverged = gave_up or not math.isfinite(error() if last_error is None else last_error)
    if state.best_epoch:
        model.load_state_dict(state.best_weights)
    model.eval()
    return Ended(state.best_epoch, state.best_error, state.epoch, diverged)


def _resumed(plan: Plan, model: nn.Module, optimizer: torch.optim.Optimizer) -> TrainingState:
    """Go on from the state of a file if it is of the same training."""
    found = None if plan.file is None else TrainingState.load(plan.file, plan.digest, model, optimizer)
    if found is None:
        return TrainingState(plan.digest)
    tell(f"{plan.name}: goes on after epoch {found.epoch} of {plan.epochs}")
    return found
