"""Training on all objectives, with other facets of each row in each step."""

from dataclasses import dataclass

import torch
from torch import nn

from polyfacet.networks.batch_source import BatchSource
from polyfacet.training.engines.joint.losses import joint_loss
from polyfacet.training.engines.joint.model import JointNetwork
from polyfacet.training.engines.joint.presence import drawn_subsets
from polyfacet.training.engines.joint.settings import JointSettings
from polyfacet.training.engines.joint.stored_examples import Part, StoredExamples


@dataclass(frozen=True, eq=False)
class SupervisedStage:
    """Predicts the objectives of rows from some of their facets; see `polyfacet...joint.epochs.Stage`."""

    settings: JointSettings
    examples: StoredExamples

    def steps(self, seed: int) -> BatchSource[list[Part]]:
        """Stream the rows of this process."""
        return self.examples.steps(self.settings.batch_size, seed, self.settings.accumulation)

    def model(self, network: JointNetwork) -> nn.Module:
        """Return the network."""
        return network

    def begin_epoch(self, network: JointNetwork) -> None:
        """Prepare nothing."""

    def loss(self, model: nn.Module, part: Part, kind: torch.dtype, done: float) -> torch.Tensor:
        """Return the loss of rows, as their share of the mean over all rows of the step."""
        examples = part.examples
        kept = drawn_subsets(examples.shown.present, self.settings.subsets, done)
        shown = examples.shown.in_training(self.settings.noise).to(kind)
        n_learnable = self.examples.objectives.n_learnable
        return joint_loss(model(shown, kept), examples, n_learnable, part.n_rows)
