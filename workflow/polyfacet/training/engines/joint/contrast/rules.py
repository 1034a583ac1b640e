"""Which representations of a step are compared, for each way of contrast."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import torch
from torch import nn

from polyfacet.training.engines.joint.contrast.alignment import alignment_loss
from polyfacet.training.engines.joint.contrast.duplicates import same_content, same_together
from polyfacet.training.engines.joint.contrast.imputation import Imputer
from polyfacet.training.engines.joint.contrast.loss import Comparison, Loss, contrastive_loss, mean_of
from polyfacet.training.engines.joint.contrast.order import order_loss
from polyfacet.training.engines.joint.contrast.projected import ProjectedNetwork
from polyfacet.training.engines.joint.contrast.settings import Pretraining
from polyfacet.training.engines.joint.contrast.views import augmented
from polyfacet.training.engines.joint.examples import Examples, Shown


@dataclass(frozen=True, eq=False)
class Compared:
    """One of the representations of the rows of a step.

    Attributes
    ----------
    values
        Normalised, shape ``(rows, numbers)``.
    known
        Whether it exists, shape ``(rows,)``.
    same
        Whether all that it was made from is the same in another row, shape ``(rows, rows)``.
    """

    values: torch.Tensor
    known: torch.Tensor
    same: torch.Tensor

    def against(self, other: "Compared", comparison: Comparison) -> Loss:
        """Return the loss of the rows that have both."""
        rows = (self.known & other.known).nonzero()[:, 0]
        same, same_other = (each.same[rows][:, rows] for each in (self, other))
        return contrastive_loss(self.values[rows], other.values[rows], same, same_other, comparison)


@dataclass(frozen=True, eq=False)
class Rule:
    """The loss of a step.

    Attributes
    ----------
    settings
        Of the pretraining.
    facets
        Facets of the network, in its order.
    noise
        Noise on numbers, in standard deviations of each.
    """

    settings: Pretraining
    facets: tuple[str, ...]
    noise: float

    def singles(self, n_rows: int) -> torch.Tensor:
        """Return the subsets of one facet, shape ``(facets, rows, facets)``."""
        one = torch.eye(len(self.facets), dtype=torch.bool)
        return one[:, None].expand(-1, n_rows, -1)

    def loss(self, model: nn.Module, examples: Examples) -> Loss:
        """Return the loss of rows.

        Parameters
        ----------
        model
            A `ProjectedNetwork`, possibly one of several processes.  It decides by its mode whether rows are
            seen through noise.
        examples
            The rows.
        """
        shown = examples.shown
        step = _Step(self, model, shown, same_content(shown, self.facets))
        loss = {
            "fused_anchor": step.with_fused_anchor,
            "anchored": step.anchored,
            "all_pairs": step.all_pairs,
            "comm": step.of_masks,
            "calibrated": step.calibrated,
        }[self.settings.contrast]()
        if not self.settings.order:
            return loss
        together = step.represented(shown.present[None])[0, 0]
        ordered = order_loss(together, examples.numbers, self.settings.temperature)
        order = self.settings.order
        return Loss((1 - order) * loss.mean + order * ordered.mean, loss.n + ordered.n)


@dataclass(frozen=True, eq=False)
class _Step:
    rule: Rule
    model: nn.Module
    shown: Shown
    same: torch.Tensor

    @property
    def n_facets(self) -> int:
        return len(self.rule.facets)

    def represented(self, subsets: torch.Tensor, n_views: int = 1) -> torch.Tensor:
        """Return representations of shape ``(views, subsets, rows, numbers)``."""
        views = [self._view(n_views > 1) for _ in range(n_views)]
        found: torch.Tensor = self.model(views, subsets)
        return found

    def _view(self, is_augmented: bool) -> Shown:
        if not self.model.training:
            return self.shown
        noise = self.rule.noise
        return augmented(self.shown, noise) if is_augmented else self.shown.in_training(noise)

    def of_facets(self, values: torch.Tensor) -> list[Compared]:
        """Return the representations of single facets."""
        return [
            Compared(values[number], self.shown.present[:, number], self.same[number])
            for number in range(self.n_facets)
        ]

    def comparison(self, within: bool) -> Comparison:
        settings = self.rule.settings
        return Comparison(settings.temperature, settings.duplicates, within)

    def with_fused_anchor(self) -> Loss:
        """Contrast each facet with all facets together, which may lack it."""
        anchors = torch.stack(list(self._anchors()))
        (values,) = self.represented(torch.cat([self.rule.singles(len(self.shown)), anchors]))
        facets = self.of_facets(values[: self.n_facets])
        several = self.shown.present.sum(dim=1) > 1
        losses = [
            facet.against(
                Compared(anchor, several, same_together(self.same, self.shown.present & kept)),
                self.comparison(within=True),
            )
            for facet, anchor, kept in zip(facets, values[self.n_facets :], anchors, strict=True)
        ]
        return mean_of(losses)

    def _anchors(self) -> Iterator[torch.Tensor]:
        """Yield the facets of the anchor of each facet, shape ``(rows, facets)``."""
        for number in range(self.n_facets):
            kept = self.shown.present.clone()
            others = kept.sum(dim=1) > 1
            hidden = torch.rand(len(kept)) < self.rule.settings.hidden
            kept[:, number] &= ~(others & hidden)
            yield kept

    def anchored(self) -> Loss:
        """Contrast one facet with each other one."""
        anchor = self.rule.facets.index(self.rule.settings.anchor)
        return self._of_pairs([(anchor, other) for other in range(self.n_facets) if other != anchor])

    def all_pairs(self) -> Loss:
        """Contrast all facets with each other."""
        return self._of_pairs(list(combinations(range(self.n_facets), 2)))

    def _of_pairs(self, pairs: Sequence[tuple[int, int]]) -> Loss:
        facets = self.of_facets(self.represented(self.rule.singles(len(self.shown)))[0])
        comparison = self.comparison(within=False)
        return mean_of([facets[a].against(facets[b], comparison) for a, b in pairs])

    def of_masks(self) -> Loss:
        """Contrast two augmented views, one of single facets or of all, the other of all."""
        subsets = torch.cat([self.rule.singles(len(self.shown)), self.shown.present[None]])
        first, second = self.represented(subsets, n_views=2)
        everything = torch.ones(len(self.shown), dtype=torch.bool)
        together = same_together(self.same, self.shown.present)
        comparison = self.comparison(within=True)
        losses = []
        for one, other in ((first, second), (second, first)):
            whole = Compared(other[-1], everything, together)
            parts = [*self.of_facets(one[:-1]), Compared(one[-1], everything, together)]
            losses += [part.against(whole, comparison) for part in parts]
        return mean_of(losses)

    def calibrated(self) -> Loss:
        """Align all facets of a row, of which missing ones are imputed."""
        (values,) = self.represented(self.rule.singles(len(self.shown)))
        by_row = values.transpose(0, 1)
        several = self.shown.present.sum(dim=1) > 1
        rows = several.nonzero()[:, 0]
        found, present = by_row[rows], self.shown.present[rows]
        expected = _imputer_of(self.model).impute(found.detach(), present)
        completed = torch.where(present[..., None], found, nn.functional.normalize(expected, dim=2))
        same = same_together(self.same, self.shown.present)[rows][:, rows]
        return alignment_loss(completed, same, self.rule.settings.temperature)


def _imputer_of(model: nn.Module) -> Imputer:
    """Return what fills in the representations of missing facets."""
    own = model.module if isinstance(model, nn.parallel.DistributedDataParallel) else model
    if not isinstance(own, ProjectedNetwork) or own.network.imputer is None:
        raise TypeError("the network has no imputer")
    return own.network.imputer
