"""Training of the network on all objectives, with other facets of each row in each step."""

import hashlib
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from polyfacet.networks import loop
from polyfacet.networks.batch_source import BatchSource
from polyfacet.networks.descent import Descent
from polyfacet.networks.epoch_choice import EpochChoice
from polyfacet.networks.processes import in_parallel, own_share
from polyfacet.runtime.identifiers import stable_hash
from polyfacet.training.engines.formulas import Formulas
from polyfacet.training.engines.joint.batches import Part, steps_of
from polyfacet.training.engines.joint.examples import Examples
from polyfacet.training.engines.joint.losses import Judge, joint_loss
from polyfacet.training.engines.joint.model import JointNetwork
from polyfacet.training.engines.joint.presence import drawn_subsets
from polyfacet.training.engines.joint.settings import JointSettings

# Part of the digest of a training: states saved by an older method are ignored.
METHOD = 1
# Share of the epochs in which FiLM is trained alone.
FILM_SHARE = 0.2
FILM_PREFIX = "film."


@dataclass(frozen=True, eq=False)
class JudgedSubset:
    """A subset of facets by which epochs are compared.

    Attributes
    ----------
    kept
        The facets, shape ``(facets,)``.
    rows
        Indices of the held-out rows that have any of them.
    judge
        Judges predictions of these rows.
    """

    kept: torch.Tensor
    rows: torch.Tensor
    judge: Judge


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Rows that choose the epoch, under several subsets of facets."""

    examples: Examples
    subsets: Sequence[JudgedSubset]

    def error(self, network: JointNetwork) -> float:
        """Return the mean error over the subsets."""
        network.eval()
        with torch.inference_mode():
            tokens = network.tokens(self.examples.shown)
            errors = [
                each.judge.error(network.predict(tokens[each.rows].of_subset(each.kept)))
                for each in self.subsets
            ]
        return sum(errors) / len(errors)


@dataclass(frozen=True)
class Training:
    """A training that can be run.

    Attributes
    ----------
    settings
        Of the engine.
    n_learnable
        Number of numeric objectives that can be learned.
    seed
        Seed of the order of rows, of the subsets of facets, of noise and dropout.
    states
        Folder of the state of an interrupted training; None keeps none.
    """

    settings: JointSettings
    n_learnable: int
    seed: int
    states: Path | None

    def run(self, network: JointNetwork, examples: Examples, held_out: HeldOut) -> list[loop.Ended]:
        """Train a network in place; it ends with the weights of the best epoch.

        Returns
        -------
        list of polyfacet.networks.loop.Ended
            How the training ended, and then that of FiLM alone, if settings ask for it; FiLM that is no
            better on the held-out rows is left out.
        """
        film = network.film
        if self.settings.film != "last" or film is None:
            return [self._run_part(network, network, examples, held_out, "joint")]
        film.requires_grad_(False)
        ended = [self._run_part(network, network, examples, held_out, "joint")]
        if ended[0].epoch:
            network.requires_grad_(False)
            film.requires_grad_(True)
            ended.append(self._run_part(network, film, examples, held_out, "film"))
            if not ended[1].error < ended[0].error:
                film.reset()
        return ended

    def _run_part(
        self, network: JointNetwork, trained: nn.Module, examples: Examples, held_out: HeldOut, part: str
    ) -> loop.Ended:
        """Train the weights of a part of the network."""
        settings = self.settings
        epochs = settings.max_epochs
        if part == "film":
            epochs = max(1, math.ceil(FILM_SHARE * epochs))
        optimizer = torch.optim.AdamW(_groups(trained, settings.weight_decay), lr=settings.learning_rate)
        plan = loop.Plan(
            f"training of {part}",
            self._digest(network, examples, held_out.examples, part),
            self.states and self.states / f"{part}.safetensors",
            epochs,
            patience=epochs,
        )
        epoch = _Epochs(self, network, optimizer, steps_of(examples, settings.batch_size, self.seed), epochs)
        return loop.train_in_steps(network, optimizer, plan, epoch.run, lambda: held_out.error(network))

    def _digest(self, network: JointNetwork, examples: Examples, held_out: Examples, part: str) -> str:
        """Identify the training by everything that determines its outcome."""
        settings = self.settings.model_dump(mode="json", exclude={"head", "hyperparameters"})
        identity = [METHOD, part, settings, self.seed, torch.__version__]
        digest = hashlib.sha256(json.dumps(identity, sort_keys=True).encode())
        for name, tensor in network.state_dict().items():
            digest.update(name.encode() + tensor.numpy().tobytes())
        for each in (examples, held_out):
            for tensor in _tensors(each):
                digest.update(tensor.numpy().tobytes())
        return digest.hexdigest()


@dataclass(frozen=True, eq=False)
class _Step:
    """The rows of this process in a step, and the seed of all that is random in it."""

    part: Part
    seed: int


class _Epochs:
    """The epochs of a training."""

    def __init__(
        self,
        training: Training,
        network: JointNetwork,
        optimizer: torch.optim.Optimizer,
        steps: BatchSource[Part],
        epochs: int,
    ) -> None:
        self.training, self.network, self.steps = training, network, steps
        self.wrapped = in_parallel(network)
        self.descent = Descent(self.wrapped, optimizer, self._loss, training.settings.learning_rate, epochs)

    def run(self, epoch: loop.Epoch) -> bool:
        """Train on every row once; return False if loss or gradient is not finite (weights unusable)."""
        self.network.train()
        with torch.random.fork_rng(devices=[]):
            return self.descent.run(epoch, self._seeded(epoch), self.steps.n_steps())

    def _seeded(self, epoch: loop.Epoch) -> Iterator[list[_Step]]:
        """Yield the steps, each with the seed that follows from epoch, step and process."""
        batches = self.steps.batches(epoch.number, epoch.first_step)
        for number, part in enumerate(batches, start=epoch.first_step):
            key = (self.training.seed, epoch.number, number, own_share().number)
            # PyTorch takes seeds of 63 bits.
            yield [_Step(part, stable_hash("step of the joint network", *key) >> 1)]

    def _loss(self, step: _Step) -> torch.Tensor:
        """Return the loss of rows, as their share of the mean over all processes."""
        torch.manual_seed(step.seed)
        settings, examples = self.training.settings, step.part.examples
        kept = drawn_subsets(examples.shown.present, settings.subsets)
        outputs = self.wrapped(examples.shown.with_noise(settings.noise), kept)
        loss = joint_loss(outputs, examples, self.training.n_learnable, step.part.n_rows)
        return loss * own_share().of


def judged_subset(
    examples: Examples, kept: torch.Tensor, choice: EpochChoice | None, shares: Sequence[torch.Tensor]
) -> JudgedSubset:
    """Return a subset of facets with the held-out rows that have any of them.

    Parameters
    ----------
    examples
        All held-out rows.
    kept
        The facets, shape ``(facets,)``.
    choice
        Judges the numbers of these rows; None if they cannot tell epochs apart.
    shares
        See `Judge`.
    """
    rows = (examples.shown.present & kept).any(dim=1).nonzero()[:, 0]
    return JudgedSubset(kept, rows, Judge(choice, examples.classes[rows], tuple(shares)))


def _groups(trained: nn.Module, weight_decay: float) -> list[dict[str, object]]:
    """Return the weights that are trained, matrices with decay and others without."""
    weights = [each for each in trained.parameters() if each.requires_grad]
    return [
        {"params": [each for each in weights if each.dim() > 1], "weight_decay": weight_decay},
        {"params": [each for each in weights if each.dim() <= 1], "weight_decay": 0.0},
    ]


def _tensors(examples: Examples) -> Iterator[torch.Tensor]:
    """Yield all that examples consist of."""
    for content in examples.shown.contents.values():
        if isinstance(content, Formulas):
            yield from (content.elements, content.fractions)
        else:
            yield content
    yield from (examples.shown.present, examples.numbers, examples.classes)
