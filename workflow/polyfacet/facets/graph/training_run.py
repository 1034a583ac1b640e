"""The training of the network in one of its processes, of which there may be only this one."""

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass

import torch

from polyfacet.config.graphs import NetworkTraining
from polyfacet.facets.graph.property_network import PropertyNetwork, predict
from polyfacet.facets.graph.training_examples import Examples, Part
from polyfacet.networks import loop
from polyfacet.networks.descent import Descent
from polyfacet.networks.epoch_choice import EpochChoice
from polyfacet.networks.precision import Precision
from polyfacet.networks.processes import in_parallel, own_share
from polyfacet.networks.properties import property_loss
from polyfacet.networks.target_scale import TargetScale

logger = logging.getLogger(__name__)

# Part of the digest of a training: states saved by an older method are ignored.
METHOD = 3


@dataclass(frozen=True, eq=False)
class TrainingRun:
    """A training with everything that determines its outcome.

    Parameters
    ----------
    training, validation
        Materials to train on, and materials that choose the epoch.
    scale
        Scale of the properties of the training materials.
    config
        Training settings.
    seed
        Seed of the order of the materials.
    """

    training: Examples
    validation: Examples
    scale: TargetScale
    config: NetworkTraining
    seed: int

    @property
    def judges(self) -> Examples:
        """Materials that choose the epoch: those trained on, if all epochs look the same to the others."""
        if EpochChoice.among(self.validation.values, self.scale).decides.any():
            return self.validation
        logger.warning("no validation value differs from the median: the training materials choose the epoch")
        return self.training

    def train(self, model: PropertyNetwork, plan: loop.Plan) -> loop.Ended:
        """Train a network in place, together with the other processes; see `loop.train_in_steps`."""
        precision = Precision.named(self.config.precision, model.network.readout.weight.device)
        model.to(precision.weights)
        optimizer = torch.optim.AdamW(
            model.parameters(), lr=self.config.learning_rate, weight_decay=self.config.weight_decay
        )
        judges = self.judges
        choice = EpochChoice.among(judges.values, self.scale)
        judged = judges.steps(self.config.batch_size)
        epoch = _Epochs(self, model, optimizer, precision)
        ended = loop.train_in_steps(
            model,
            optimizer,
            plan,
            epoch.run,
            lambda: choice.error(predict(model, judged, judges.ranks)),
            precision.loss_scale,
        )
        model.float()
        return ended

    def digest(self, model: PropertyNetwork) -> str:
        """Return a digest of everything that determines the outcome: settings, initial weights, examples."""
        settings = {
            "method": METHOD,
            "config": self.config.model_dump(),
            "seed": self.seed,
            "device": model.network.readout.weight.device.type,
            "torch": torch.__version__,
            "examples": [self.training.digest, self.validation.digest],
        }
        digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
        weights: Mapping[str, torch.Tensor] = model.state_dict()
        for name, tensor in weights.items():
            digest.update(name.encode() + tensor.cpu().numpy().tobytes())
        return digest.hexdigest()


class _Epochs:
    """The epochs of a training."""

    def __init__(
        self,
        run: TrainingRun,
        model: PropertyNetwork,
        optimizer: torch.optim.Optimizer,
        precision: Precision,
    ) -> None:
        self.model, self.scale = model, run.scale
        self.wrapped = in_parallel(model)
        self.n_learnable = int(run.scale.learnable.sum())
        self.steps = run.training.steps(run.config.batch_size, run.seed, run.config.accumulation)
        self.descent = Descent(
            self.wrapped, optimizer, self._loss, run.config.learning_rate, run.config.epochs, precision
        )

    def run(self, epoch: loop.Epoch) -> bool:
        """Train on every material once; return False if loss or gradient is not finite (weights unusable)."""
        self.model.train()
        batches = self.steps.batches(epoch.number, epoch.first_step)
        return self.descent.run(epoch, batches, self.steps.n_steps())

    def _loss(self, part: Part) -> torch.Tensor:
        """Return the loss of a part, as its share of the mean over all processes."""
        predicted = self.wrapped(self.model.accept(part.data))
        expected = self.scale.normalise(part.values).to(predicted.device)
        return property_loss(predicted, expected, self.n_learnable, part.n_materials) * own_share().of
