"""Epochs of a part of the training: steps whose randomness follows from seed, epoch, step and process."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import nn

from polyfacet.networks.batch_source import BatchSource
from polyfacet.networks.descent import Descent
from polyfacet.networks.loop import Epoch
from polyfacet.networks.precision import Precision
from polyfacet.networks.processes import in_parallel, own_share
from polyfacet.runtime.identifiers import stable_hash
from polyfacet.training.engines.joint.model import JointNetwork
from polyfacet.training.engines.joint.settings import JointSettings
from polyfacet.training.engines.joint.stored_examples import Part


class Stage(Protocol):
    """What a part of the training learns from its rows."""

    def steps(self, seed: int) -> BatchSource[list[Part]]:
        """Stream the rows of this process."""
        ...

    def model(self, network: JointNetwork) -> nn.Module:
        """Return what is called in each step; its weights are those of the network."""
        ...

    def begin_epoch(self, network: JointNetwork) -> None:
        """Prepare an epoch from the weights at its start."""
        ...

    def loss(self, model: nn.Module, part: Part, kind: torch.dtype, done: float) -> torch.Tensor:
        """Return the loss of rows, as their share of the mean over all rows of the step.

        Parameters
        ----------
        model
            See `model`.
        part
            The rows.
        kind
            Precision of numbers.
        done
            Share of the epochs that is done.
        """
        ...


@dataclass(frozen=True, eq=False)
class _Step:
    """Rows that are computed together, the seed of all that is random, and the share of epochs done."""

    part: Part
    seed: int
    done: float


class Epochs:
    """The epochs of a part of the training.

    Parameters
    ----------
    settings
        Of the engine.
    network
        The network, which knows the weights that it learns.
    stage
        What it learns.
    optimizer
        Optimizer of these weights.
    length
        Number of epochs, and the highest learning rate.
    seed
        Seed of the order of rows and of all that is random in a step.
    precision
        Precision of the computation.
    """

    def __init__(
        self,
        settings: JointSettings,
        network: JointNetwork,
        stage: Stage,
        optimizer: torch.optim.Optimizer,
        length: tuple[int, float],
        seed: int,
        precision: Precision,
    ) -> None:
        self.network, self.stage, self.seed, self.precision = network, stage, seed, precision
        self.steps = stage.steps(seed)
        self.n_epochs, learning_rate = length
        # Every weight has a gradient in every step, 0 where a facet is not shown: all towers read all rows,
        # and the loss counts all outputs.  So processes wait for the same gradients, whichever facets their
        # rows show, and need not search for unused weights.
        self.model = in_parallel(stage.model(network))
        self.descent = Descent(self.model, optimizer, self._loss, learning_rate, self.n_epochs, precision)

    def run(self, epoch: Epoch) -> bool:
        """Train on every row once; return False if loss or gradient is not finite (weights unusable)."""
        if not epoch.first_step:
            self.stage.begin_epoch(self.network)
        self.model.train()
        with torch.random.fork_rng(devices=[]):
            return self.descent.run(epoch, self._seeded(epoch), self.steps.n_steps())

    def _seeded(self, epoch: Epoch) -> Iterator[list[_Step]]:
        """Yield the parts of steps, each with the seed that follows from epoch, step, process and part."""
        batches = self.steps.batches(epoch.number, epoch.first_step)
        for number, parts in enumerate(batches, start=epoch.first_step):
            key = (self.seed, epoch.number, number, own_share().number)
            done = epoch.number / self.n_epochs
            yield [_Step(part, _seed(*key, *([n] if n else [])), done) for n, part in enumerate(parts)]

    def _loss(self, step: _Step) -> torch.Tensor:
        torch.manual_seed(step.seed)
        loss = self.stage.loss(self.model, step.part, self.precision.weights, step.done)
        return loss * own_share().of


def _seed(*key: int) -> int:
    # PyTorch takes seeds of 63 bits.
    return stable_hash("step of the joint network", *key) >> 1
