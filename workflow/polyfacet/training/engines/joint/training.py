"""Training of the network: what facets have in common, then all objectives, then FiLM alone."""

import hashlib
import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch

from polyfacet.networks import loop
from polyfacet.networks.precision import Precision
from polyfacet.training.engines.joint.contrast.stage import ContrastStage
from polyfacet.training.engines.joint.epochs import Epochs, Stage
from polyfacet.training.engines.joint.judging import HeldOut, judges
from polyfacet.training.engines.joint.model import JointNetwork
from polyfacet.training.engines.joint.presence import compared_subsets
from polyfacet.training.engines.joint.settings import HEAD_SETTINGS, JointSettings
from polyfacet.training.engines.joint.stored_examples import StoredExamples
from polyfacet.training.engines.joint.supervised import SupervisedStage

# Part of the digest of a training: states saved by an older method are ignored.
METHOD = 3
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
        Rows to train on, and rows that choose the epoch; any objective of them is known.  Pretraining uses
        those of the same parts without any objective as well.
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

    @property
    def precision(self) -> Precision:
        """Precision of the computation."""
        return Precision.named(self.settings.precision, torch.device("cpu"))

    @property
    def parts(self) -> list[str]:
        """Names of the parts of the training, in their order."""
        parts = {"contrast": self.settings.is_pretrained, "joint": True, "film": self.settings.film == "last"}
        return [name for name, is_run in parts.items() if is_run]

    def run(self, network: JointNetwork) -> list[loop.Ended]:
        """Train a network in place; each part ends with the weights of its best epoch.

        Returns
        -------
        list of polyfacet.networks.loop.Ended
            How each part ended; those after one that diverged are left out.  FiLM that is trained alone and
            is no better on the held-out rows is left out of the network.
        """
        held_out = self.judges()
        network.to(self.precision.weights)
        runs = {
            "contrast": lambda: self._contrast(network),
            "joint": lambda: self._supervised(network, held_out),
            "film": lambda: self._film(network, held_out, ended[-1]),
        }
        ended: list[loop.Ended] = []
        for part in self.parts:
            ended.append(runs[part]())
            if not ended[-1].epoch:
                break
        network.float()
        return ended

    def _contrast(self, network: JointNetwork) -> loop.Ended:
        """Train towers, fusion and projection to tell materials apart."""
        settings = self.settings.pretraining
        stage = ContrastStage(self.settings, self.trained_on.with_unlabelled())
        kind = self.precision.weights
        stage.check(network, kind)
        judge = ContrastStage(self.settings, self.chosen_by.with_unlabelled())
        if not judge.compared(network, kind).n:
            judge = stage
        network.learn(represents=True, projects=True)
        length = settings.epochs, settings.learning_rate
        return self._run("contrast", network, stage, length, lambda: judge.compared(network, kind).error)

    def _supervised(self, network: JointNetwork, held_out: HeldOut) -> loop.Ended:
        """Train on the objectives."""
        settings = self.settings
        is_frozen = settings.is_pretrained and settings.pretraining.afterwards == "frozen"
        network.learn(
            represents=not is_frozen,
            answers=True,
            numbers=bool(self.trained_on.objectives.n_learnable),
            film=settings.film == "joint",
        )
        stage = SupervisedStage(settings, self.trained_on)
        length = settings.max_epochs, settings.learning_rate
        return self._run("joint", network, stage, length, lambda: held_out.error(network))

    def _film(self, network: JointNetwork, held_out: HeldOut, before: loop.Ended) -> loop.Ended:
        """Train FiLM alone, and leave it out if it does not lower the error."""
        settings = self.settings
        network.learn(film=True)
        length = max(1, math.ceil(FILM_SHARE * settings.max_epochs)), settings.learning_rate
        stage = SupervisedStage(settings, self.trained_on)
        ended = self._run("film", network, stage, length, lambda: held_out.error(network))
        if network.film is not None and not ended.error < before.error:
            network.film.reset()
        return ended

    def _run(
        self,
        part: str,
        network: JointNetwork,
        stage: Stage,
        length: tuple[int, float],
        error: Callable[[], float],
    ) -> loop.Ended:
        """Train the weights that the network learns in a part, for epochs with a highest learning rate."""
        n_epochs, learning_rate = length
        groups = network.groups(self.settings.weight_decay)
        optimizer = torch.optim.AdamW(groups, lr=learning_rate)
        plan = loop.Plan(
            f"training of {part}",
            self._digest(network, part),
            self.states and self.states / f"{part}.safetensors",
            n_epochs,
            patience=n_epochs,
            save_every_s=self.save_every_s,
        )
        epochs = Epochs(self.settings, network, stage, optimizer, length, self.seed, self.precision)
        return loop.train_in_steps(network, optimizer, plan, epochs.run, error)

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
