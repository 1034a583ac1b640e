"""The training loop of all networks: keeps the best epoch, stops early, resumes after an interruption."""

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import nn

from polyfacet.networks.processes import check_same, own_share
from polyfacet.networks.state import TrainingState
from polyfacet.networks.threads import one_thread
from polyfacet.runtime.progress import tell, track

# An interruption loses at most this much training, plus one epoch if its steps are not saved, or one step.
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
    save_every_s
        Time between two writings of the state, s.
    """

    name: str
    digest: str
    file: Path | None
    epochs: int
    patience: int
    save_every_s: float = field(default_factory=lambda: SAVE_EVERY_S)


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
    losses
        Mean loss of each epoch; empty if its steps were not reported.
    """

    epoch: int
    error: float
    n_epochs: int
    diverged: bool
    losses: list[float] = field(default_factory=list)


@dataclass(eq=False)
class Checkpoints:
    """The state of a training and its file, which is written now and then."""

    plan: Plan
    state: TrainingState
    model: nn.Module
    optimizer: torch.optim.Optimizer
    loss_scale: torch.amp.GradScaler | None = None
    saved_at: float = field(default_factory=time.monotonic)

    def save(self) -> None:
        """Write the state; of several processes, which have the same, the first writes it."""
        if self.plan.file and own_share().number == 0:
            self.state.loss_scale = self.loss_scale.state_dict() if self.loss_scale else {}
            self.state.save(self.plan.file, self.model, self.optimizer)
        self.saved_at = time.monotonic()

    def save_if_due(self) -> None:
        """Write the state if the last one is old."""
        if time.monotonic() - self.saved_at >= self.plan.save_every_s:
            self.save()


@dataclass(frozen=True, eq=False)
class Epoch:
    """One pass over the examples.

    Parameters
    ----------
    number
        Number of preceding epochs.
    first_step
        Number of steps that were taken before an interruption.
    checkpoints
        State of the training; None reports no steps.
    """

    number: int
    first_step: int = 0
    checkpoints: Checkpoints | None = None

    def finish_step(self, loss: float) -> None:
        """Report a step, whose state may be saved."""
        if self.checkpoints:
            self.checkpoints.state.finish_step(loss)
            self.checkpoints.save_if_due()


def train(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    plan: Plan,
    run_epoch: Callable[[int], bool],
    error: Callable[[], float],
) -> Ended:
    """Train a network whose epochs are short: an interruption repeats the epoch; see `train_in_steps`.

    Parameters
    ----------
    model, optimizer, plan, error
        See `train_in_steps`.
    run_epoch
        Trains on every example once, given the number of preceding epochs; returns False if it gave up.
    """
    return train_in_steps(model, optimizer, plan, lambda epoch: run_epoch(epoch.number), error)


def train_in_steps(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    plan: Plan,
    run_epoch: Callable[[Epoch], bool],
    error: Callable[[], float],
    loss_scale: torch.amp.GradScaler | None = None,
) -> Ended:
    """Train a network in place; it ends with the weights of the epoch with the lowest error.

    Training runs on one thread.  If seed, epoch and step determine the order of the examples and everything
    random, the weights depend neither on the number of cores nor on interruptions.

    With several processes, each calls this with the same weights and errors, and the first saves the state.

    Parameters
    ----------
    model
        Network with its initial weights.
    optimizer
        Optimizer of these weights.
    plan
        Length of the training, and the file that keeps its state.
    run_epoch
        Trains on every example once, from the first step of the epoch, and reports each step; returns False
        if it gave up.
    error
        Returns the error of the current weights, by which epochs are compared.
    loss_scale
        Scale of losses in half precision, which is part of the state.
    """
    state = _resumed(plan, model, optimizer)
    if loss_scale:
        loss_scale.load_state_dict(state.loss_scale or loss_scale.state_dict())
    checkpoints = Checkpoints(plan, state, model, optimizer, loss_scale)
    last_error = None
    gave_up = False
    with one_thread():
        for number in _epochs(plan, state):
            if state.best_epoch and number - state.best_epoch >= plan.patience:
                break
            if not run_epoch(Epoch(number, state.step, checkpoints)):
                gave_up = True
                break
            last_error = error()
            state.finish_epoch(last_error, model)
            checkpoints.save_if_due()
        if not gave_up:  # otherwise the weights are useless
            checkpoints.save()
        diverged = gave_up or not math.isfinite(error() if last_error is None else last_error)
    if state.best_epoch:
        model.load_state_dict(state.best_weights)
    model.eval()
    return Ended(state.best_epoch, state.best_error, state.epoch, diverged, state.losses)


def _epochs(plan: Plan, state: TrainingState) -> Iterable[int]:
    """Return the remaining epochs; the first process tells how many are done."""
    remaining = range(state.epoch, plan.epochs)
    return track(remaining, f"{plan.name}, epochs") if own_share().number == 0 else remaining


def _resumed(plan: Plan, model: nn.Module, optimizer: torch.optim.Optimizer) -> TrainingState:
    """Return the saved state if it belongs to the same training, otherwise a new state."""
    found = None if plan.file is None else TrainingState.load(plan.file, plan.digest, model, optimizer)
    state = found or TrainingState(plan.digest)
    check_same((state.epoch, state.step), f"the state of {plan.name}")
    if found and own_share().number == 0:
        in_epoch = f" and {found.step} steps" if found.step else ""
        tell(f"{plan.name}: resumes after epoch {found.epoch} of {plan.epochs}{in_epoch}")
    return state
