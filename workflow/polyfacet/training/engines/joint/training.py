"""Training of the network on all objectives, with other facets of each row in each step."""

import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import nn

from polyfacet.networks import loop
from polyfacet.networks.descent import Descent
from polyfacet.networks.precision import Precision
from polyfacet.networks.processes import in_parallel, own_share
from polyfacet.runtime.identifiers import stable_hash
from polyfacet.training.engines.joint.judging import HeldOut, judges
from polyfacet.training.engines.joint.losses import joint_loss
from polyfacet.training.engines.joint.model import JointNetwork
from polyfacet.training.engines.joint.presence import compared_subsets, drawn_subsets
from polyfacet.training.engines.joint.settings import HEAD_SETTINGS, JointSettings
from polyfacet.training.engines.joint.stored_examples import Part, StoredExamples

# Part of the digest of a training: states saved by an older method are ignored.
METHOD = 2
# Share of the epochs in which FiLM is trained alone.
FILM_SHARE = 0.2


@dataclass(frozen=True, eq=False)
class Training:
    """A training that can be run, by one process or by several together.

    Attributes
    ----------
    settings
        Of the engine.
    trained_on, chosen_by
        Rows to train on, and rows that choose the epoch.
    seed
        Seed of the order of rows, of the subsets of facets, of noise and dropout.
    states
        Folder of the state of an interrupted training; None keeps none.
    save_every_s
        Time between two writings of the state, s.
    """

    settings: JointSettings
    trained_on: StoredExamples
    chosen_by: StoredExamples
    seed: int
    states: Path | None
    save_every_s: float = field(default_factory=lambda: loop.SAVE_EVERY_S)

    def judges(self) -> HeldOut:
        """Return the rows that choose the epoch; see `polyfacet.training.engines.joint.judging.judges`."""
        subsets = compared_subsets(len(self.trained_on.readers), self.settings.subsets)
        return judges(self.chosen_by, self.trained_on, subsets)

    def run(self, network: JointNetwork) -> list[loop.Ended]:
        """Train a network in place; it ends with the weights of the best epoch.

        Returns
        -------
        list of polyfacet.networks.loop.Ended
            How the training ended, and then that of FiLM alone, if settings ask for it; FiLM that is no
            better on the held-out rows is left out.
        """
        held_out = self.judges()
        network.to(self.precision.weights)
        ended = self._run_parts(network, held_out)
        network.float()
        return ended

    @property
    def precision(self) -> Precision:
        """Precision of the computation."""
        return Precision.named(self.settings.precision, torch.device("cpu"))

    def _run_parts(self, network: JointNetwork, held_out: HeldOut) -> list[loop.Ended]:
        # No loss depends on numbers of which none can be learned, and processes would wait for gradients.
        network.of_numbers.requires_grad_(bool(self.trained_on.objectives.n_learnable))
        film = network.film
        if self.settings.film != "last" or film is None:
            return [self._run_part(network, network, held_out, "joint")]
        film.requires_grad_(False)
        ended = [self._run_part(network, network, held_out, "joint")]
        if ended[0].epoch:
            network.requires_grad_(False)
            film.requires_grad_(True)
            ended.append(self._run_part(network, film, held_out, "film"))
            if not ended[1].error < ended[0].error:
                film.reset()
        return ended

    def _run_part(
        self, network: JointNetwork, trained: nn.Module, held_out: HeldOut, part: str
    ) -> loop.Ended:
        """Train the weights of a part of the network."""
        settings = self.settings
        epochs = settings.max_epochs
        if part == "film":
            epochs = max(1, math.ceil(FILM_SHARE * epochs))
        optimizer = torch.optim.AdamW(_groups(trained, settings.weight_decay), lr=settings.learning_rate)
        plan = loop.Plan(
            f"training of {part}",
            self._digest(network, part),
            self.states and self.states / f"{part}.safetensors",
            epochs,
            patience=epochs,
            save_every_s=self.save_every_s,
        )
        epoch = _Epochs(self, network, optimizer, epochs)
        return loop.train_in_steps(network, optimizer, plan, epoch.run, lambda: held_out.error(network))

    def _digest(self, network: JointNetwork, part: str) -> str:
        """Identify the training by everything that determines its outcome."""
        settings = self.settings.model_dump(mode="json", exclude=set(HEAD_SETTINGS))
        # The scales of numbers are in the file; that of objectives is not.
        scale = [self.trained_on.objectives.record(), self.trained_on.rows.digest]
        identity = [METHOD, part, settings, scale, self.seed, torch.__version__]
        digest = hashlib.sha256(json.dumps(identity, sort_keys=True).encode())
        for name, tensor in network.state_dict().items():
            digest.update(name.encode() + tensor.numpy().tobytes())
        return digest.hexdigest()


@dataclass(frozen=True, eq=False)
class _Step:
    """Rows that are computed together, and the seed of all that is random in it."""

    part: Part
    seed: int


class _Epochs:
    """The epochs of a training."""

    def __init__(
        self, training: Training, network: JointNetwork, optimizer: torch.optim.Optimizer, epochs: int
    ) -> None:
        settings = training.settings
        self.training, self.network = training, network
        self.n_learnable = training.trained_on.objectives.n_learnable
        self.steps = training.trained_on.steps(settings.batch_size, training.seed, settings.accumulation)
        # Every weight has a gradient in every step, 0 where a facet is not shown: all towers read all rows,
        # and the loss counts all outputs.  So processes wait for the same gradients, whichever facets their
        # rows show, and need not search for unused weights.
        self.wrapped = in_parallel(network)
        self.descent = Descent(
            self.wrapped, optimizer, self._loss, settings.learning_rate, epochs, training.precision
        )

    def run(self, epoch: loop.Epoch) -> bool:
        """Train on every row once; return False if loss or gradient is not finite (weights unusable)."""
        self.network.train()
        with torch.random.fork_rng(devices=[]):
            return self.descent.run(epoch, self._seeded(epoch), self.steps.n_steps())

    def _seeded(self, epoch: loop.Epoch) -> Iterator[list[_Step]]:
        """Yield the parts of steps, each with the seed that follows from epoch, step, process and part."""
        batches = self.steps.batches(epoch.number, epoch.first_step)
        for number, parts in enumerate(batches, start=epoch.first_step):
            key = (self.training.seed, epoch.number, number, own_share().number)
            yield [_Step(part, _seed(*key, *([n] if n else []))) for n, part in enumerate(parts)]

    def _loss(self, step: _Step) -> torch.Tensor:
        """Return the loss of rows, as their share of the mean over all processes."""
        torch.manual_seed(step.seed)
        settings, examples = self.training.settings, step.part.examples
        kept = drawn_subsets(examples.shown.present, settings.subsets)
        shown = examples.shown.with_noise(settings.noise).to(self.training.precision.weights)
        loss = joint_loss(self.wrapped(shown, kept), examples, self.n_learnable, step.part.n_rows)
        return loss * own_share().of


def _seed(*key: int) -> int:
    # PyTorch takes seeds of 63 bits.
    return stable_hash("step of the joint network", *key) >> 1


def _groups(trained: nn.Module, weight_decay: float) -> list[dict[str, object]]:
    """Return the weights that are trained, matrices with decay and others without."""
    weights = [each for each in trained.parameters() if each.requires_grad]
    return [
        {"params": [each for each in weights if each.dim() > 1], "weight_decay": weight_decay},
        {"params": [each for each in weights if each.dim() <= 1], "weight_decay": 0.0},
    ]
