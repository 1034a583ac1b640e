"""Rows that choose the epoch, under several subsets of facets."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from polyfacet.networks.epoch_choice import EpochChoice
from polyfacet.networks.processes import total
from polyfacet.training.engines.base import EngineError
from polyfacet.training.engines.joint.losses import Judge, shares_of_classes
from polyfacet.training.engines.joint.model import JointNetwork, Outputs
from polyfacet.training.engines.joint.stored_examples import StoredExamples, rows_at_once


@dataclass(frozen=True, eq=False)
class JudgedSubset:
    """A subset of facets by which epochs are compared.

    Attributes
    ----------
    kept
        The facets, shape ``(facets,)``.
    ranks
        Ranks of the rows that have any of them, ascending.
    judge
        Judges predictions of these rows.
    """

    kept: torch.Tensor
    ranks: NDArray[np.int64]
    judge: Judge


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Rows that choose the epoch, under several subsets of facets."""

    examples: StoredExamples
    subsets: Sequence[JudgedSubset]

    def error(self, network: JointNetwork) -> float:
        """Return the mean error over the subsets; several processes divide the rows."""
        network.eval()
        sizes = [len(self.examples.objectives.numbers), *self.examples.objectives.n_classes]
        weight = network.kinds
        said = [weight.new_zeros(len(each.ranks), sum(sizes)) for each in self.subsets]
        with torch.inference_mode():
            for (part,) in self.examples.steps(rows_at_once(self.examples.readers)).batches(0):
                tokens = network.tokens(part.examples.shown.to(weight.dtype))
                for found, each in zip(said, self.subsets, strict=True):
                    rows = (tokens.present & each.kept).any(dim=1).nonzero()[:, 0]
                    if len(rows):
                        places = np.searchsorted(each.ranks, part.ranks[rows.numpy()])
                        outputs = network.predict(tokens[rows].of_subset(each.kept))
                        found[torch.from_numpy(places)] = _side_by_side(outputs)
            errors = [
                each.judge.error(*_divided(total(found), sizes))
                for found, each in zip(said, self.subsets, strict=True)
            ]
        return sum(errors) / len(errors)


def judges(chosen_by: StoredExamples, trained_on: StoredExamples, compared: torch.Tensor) -> HeldOut:
    """Let the held-out rows choose the epoch, or those trained on if all epochs look the same to them.

    Parameters
    ----------
    chosen_by, trained_on
        Rows that are held out, and the others.
    compared
        Subsets of facets, shape ``(subsets, facets)``.

    Raises
    ------
    EngineError
        If nothing can tell epochs apart.
    """
    learned, classes = trained_on.objectives, trained_on.classes
    shares = tuple(shares_of_classes(classes[:, c], n) for c, n in enumerate(learned.n_classes))
    for rows in (chosen_by, trained_on):
        present, values, true = rows.present, rows.values, rows.classes
        subsets = []
        for kept in compared:
            has_any = (present & kept).any(dim=1).numpy()
            if has_any.any():
                choice = EpochChoice.among(values[has_any], learned.scale)
                judge = Judge(choice if choice.decides.any() else None, true[has_any], shares)
                subsets.append(JudgedSubset(kept, rows.rows.ranks[has_any], judge))
        telling = [each for each in subsets if each.judge.can_tell]
        if telling:
            return HeldOut(rows, telling)
    raise EngineError("no known value of an objective differs from the median")


def _side_by_side(outputs: Outputs) -> torch.Tensor:
    return torch.cat([outputs.numbers, *outputs.classes], dim=1)


def _divided(said: torch.Tensor, sizes: Sequence[int]) -> tuple[torch.Tensor, Sequence[torch.Tensor]]:
    numbers, *classes = said.split(list(sizes), dim=1)
    return numbers, classes
