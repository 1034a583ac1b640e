"""Pretraining: rows are told from each other by what their facets have in common."""

from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import nn

from polyfacet.networks.batch_source import BatchSource
from polyfacet.networks.processes import own_share, total
from polyfacet.training.engines.base import EngineError
from polyfacet.training.engines.joint.contrast.projected import ProjectedNetwork
from polyfacet.training.engines.joint.contrast.rules import Rule
from polyfacet.training.engines.joint.contrast.views import shuffled_partners
from polyfacet.training.engines.joint.examples import Examples
from polyfacet.training.engines.joint.model import JointNetwork
from polyfacet.training.engines.joint.settings import JointSettings
from polyfacet.training.engines.joint.stored_examples import Part, StoredExamples

# Rows that the imputation of missing facets is fitted on.
IMPUTED_ROWS = 16_384
# Seed of the partners of held-out rows, and of what is random in their comparison.
JUDGING = 0


@dataclass(frozen=True)
class Judgement:
    """Mean loss of rows, and the number of terms that it is the mean of."""

    error: float
    n: int


@dataclass(frozen=True, eq=False)
class ContrastStage:
    """Contrasts the facets of rows; see `polyfacet.training.engines.joint.epochs.Stage`.

    Several processes each compare the rows of their own share of a step.
    """

    settings: JointSettings
    examples: StoredExamples

    @cached_property
    def rule(self) -> Rule:
        """The loss of a step."""
        names = tuple(reader.name for reader in self.examples.readers)
        return Rule(self.settings.pretraining, names, self.settings.noise)

    def check(self, network: JointNetwork, kind: torch.dtype) -> None:
        """Reject rows that cannot be contrasted.

        Raises
        ------
        EngineError
            If no two rows can be compared, none of the facets is the anchor, or nothing has an order.
        """
        settings, facets = self.settings.pretraining, self.rule.facets
        if settings.contrast == "anchored" and settings.anchor not in facets:
            raise EngineError(f"anchor: none of {', '.join(facets)} is called {settings.anchor}")
        if settings.order and not self.examples.objectives.n_learnable:
            raise EngineError("order: no numeric objective can be learned, so that nothing has an order")
        if not self.compared(network, kind).n:
            raise EngineError(
                "nothing can be contrasted: no two training rows of a step differ and have the facets that "
                f"`contrast: {settings.contrast}` compares"
            )

    def steps(self, seed: int) -> BatchSource[list[Part]]:
        """Stream the rows of this process."""
        return self.examples.steps(self.settings.batch_size, seed, self.settings.accumulation)

    def model(self, network: JointNetwork) -> nn.Module:
        """Return the network with its projection."""
        return ProjectedNetwork(network)

    def begin_epoch(self, network: JointNetwork) -> None:
        """Fit the imputation of missing facets, if there is one, to the representations of now."""
        if network.imputer is not None:
            network.imputer.fit(*self._represented(network))

    def loss(self, model: nn.Module, part: Part, kind: torch.dtype, _done: float) -> torch.Tensor:
        """Return the loss of rows, as their share of the mean over all rows of the step."""
        examples = self._partnered(part.examples, kind)
        return self.rule.loss(model, examples).mean * (len(examples) / part.n_rows)

    def compared(self, network: JointNetwork, kind: torch.dtype) -> "Judgement":
        """Return the mean loss of all rows, without noise."""
        model = ProjectedNetwork(network).eval()
        found = torch.zeros(2, dtype=torch.float64)
        with torch.inference_mode(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(JUDGING)
            for (part,) in self.examples.steps(self.settings.batch_size).batches(0):
                loss = self.rule.loss(model, self._partnered(part.examples, kind))
                found += torch.tensor([loss.mean.item() * loss.n, loss.n], dtype=torch.float64)
        summed, n = total(found).tolist()
        return Judgement(summed / max(1, n), int(n))

    def _partnered(self, examples: Examples, kind: torch.dtype) -> Examples:
        """Return rows in the precision of the training, with the partners that settings ask for."""
        shown = examples.shown.to(kind)
        if self.settings.pretraining.partners == "shuffled":
            shown = shuffled_partners(shown)
        return replace(examples, shown=shown)

    def _represented(self, network: JointNetwork) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the representations of the facets of some rows, and which of them exist."""
        model = ProjectedNetwork(network).eval()
        kind = network.kinds.dtype
        values, present = [], []
        n_rows = 0
        with torch.inference_mode():
            for (part,) in self.examples.steps(self.settings.batch_size).batches(0):
                shown = part.examples.shown.to(kind)
                values.append(model([shown], self.rule.singles(len(shown)))[0].transpose(0, 1))
                present.append(shown.present)
                n_rows += part.n_rows
                if n_rows >= IMPUTED_ROWS:
                    break
        return _of_all(torch.cat(values)), _of_all(torch.cat(present).to(kind)) > 0


def _of_all(rows: torch.Tensor) -> torch.Tensor:
    """Return the rows of all processes, in the order of the processes."""
    share = own_share()
    counts = torch.zeros(share.of, dtype=torch.int64)
    counts[share.number] = len(rows)
    ends = total(counts).cumsum(0).tolist()
    found = rows.new_zeros(ends[-1], *rows.shape[1:])
    found[ends[share.number] - len(rows) : ends[share.number]] = rows
    return total(found)
