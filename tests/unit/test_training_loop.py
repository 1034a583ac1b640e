"""The training loop: which epoch it keeps, when it stops, and how it resumes after an interruption."""

import math
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from polyfacet.networks import loop
from polyfacet.networks.loop import Ended, Plan, train, train_in_steps


class Countdown:
    """A network with a single weight that grows by one per epoch, and given errors."""

    def __init__(
        self, errors: Sequence[float], dies_after: int | None = None, gives_up_in: int | None = None
    ):
        self.model = torch.nn.Linear(1, 1, bias=False)
        torch.nn.init.zeros_(self.model.weight)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=1.0)
        self.errors, self.dies_after, self.gives_up_in = errors, dies_after, gives_up_in
        self.epochs: list[int] = []

    def train(self, file: Path | None, epochs: int, patience: int = 100, digest: str = "this") -> Ended:
        plan = Plan("countdown", digest, file, epochs, patience)
        return train(self.model, self.optimizer, plan, self._run_epoch, lambda: self.errors[self.epochs[-1]])

    def _run_epoch(self, epoch: int) -> bool:
        if epoch == self.dies_after:
            raise KeyboardInterrupt
        self.epochs.append(epoch)
        self.model.weight.data += 1
        return epoch != self.gives_up_in

    @property
    def weight(self) -> float:
        return self.model.weight.item()


def test_epoch_with_the_lowest_error_is_kept():
    network = Countdown([3, 1, 2, math.nan])
    assert network.train(None, epochs=4) == Ended(2, 1, 4, diverged=True)
    assert network.weight == 2
    assert not network.model.training


def test_training_stops_without_improvement_once_an_error_was_finite():
    network = Countdown([math.inf, math.nan, 2, 3, 2, 1])
    assert network.train(None, epochs=6, patience=2) == Ended(3, 2, 5, diverged=False)


def test_no_finite_error_leaves_no_best_epoch():
    assert Countdown([math.nan] * 2).train(None, epochs=2) == Ended(0, math.inf, 2, diverged=True)


def test_abandoned_epoch_ends_training_and_leaves_no_state(tmp_path):
    network = Countdown([2, 1, 0], gives_up_in=1)
    assert network.train(tmp_path / "state", epochs=3) == Ended(1, 2, 1, diverged=True)
    assert network.weight == 1
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("dies_after", [1, 2, 3])
def test_interrupted_training_resumes(tmp_path, monkeypatch, dies_after):
    monkeypatch.setattr(loop, "SAVE_EVERY_S", 0)
    errors = [3, 1, 2, 4]
    with pytest.raises(KeyboardInterrupt):
        Countdown(errors, dies_after).train(tmp_path / "state", epochs=4)
    again = Countdown(errors)
    assert again.train(tmp_path / "state", epochs=4) == Ended(2, 1, 4, diverged=False)
    assert again.epochs == list(range(dies_after, 4))
    assert again.weight == 2


def test_state_of_a_different_training_is_ignored(tmp_path):
    Countdown([1]).train(tmp_path / "state", epochs=1, digest="other")
    again = Countdown([1])
    again.train(tmp_path / "state", epochs=1)
    assert again.epochs == [0]


class CountedSteps(Countdown):
    """A network whose weight grows by one per step, of which an epoch has three."""

    def __init__(self, errors: Sequence[float], dies_after: int | None = None):
        super().__init__(errors, dies_after)
        self.steps: list[tuple[int, int]] = []

    def train(self, file: Path | None, epochs: int, patience: int = 100, digest: str = "this") -> Ended:
        plan = Plan("steps", digest, file, epochs, patience)
        return train_in_steps(self.model, self.optimizer, plan, self._run_steps, self._error)

    def _run_steps(self, epoch: loop.Epoch) -> bool:
        self.epochs.append(epoch.number)
        for step in range(epoch.first_step, 3):
            if self.dies_after == 3 * epoch.number + step:
                raise KeyboardInterrupt
            self.steps.append((epoch.number, step))
            self.model.weight.data += 1
            epoch.finish_step(loss=self.weight)
        return True

    def _error(self) -> float:
        return self.errors[self.epochs[-1]]


@pytest.mark.parametrize("dies_after", range(1, 9))
def test_training_resumes_in_the_middle_of_an_epoch(tmp_path, monkeypatch, dies_after):
    monkeypatch.setattr(loop, "SAVE_EVERY_S", 0)
    with pytest.raises(KeyboardInterrupt):
        CountedSteps([2, 1, 3], dies_after).train(tmp_path / "state", epochs=3)
    again = CountedSteps([2, 1, 3])
    ended = again.train(tmp_path / "state", epochs=3)
    assert ended == Ended(2, 1, 3, diverged=False, losses=[2, 5, 8])
    assert again.steps == [(step // 3, step % 3) for step in range(dies_after, 9)]
    assert again.weight == 6
