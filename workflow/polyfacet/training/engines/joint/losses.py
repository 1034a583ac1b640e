"""The loss, and the error by which epochs are compared, over all objectives whose value is known."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.functional import cross_entropy, one_hot

from polyfacet.networks.epoch_choice import WORST, EpochChoice
from polyfacet.networks.properties import property_loss
from polyfacet.training.engines.joint.examples import Examples
from polyfacet.training.engines.joint.outputs import Outputs

UNKNOWN = -1


def joint_loss(outputs: Outputs, expected: Examples, n_learnable: int, n_rows: int) -> torch.Tensor:
    """Return the mean loss over rows and objectives.

    That of numbers is the Huber loss of scaled values; that of classes, the cross entropy in units of a
    uniform guess.

    Parameters
    ----------
    outputs
        Of the network.
    expected
        The same rows.
    n_learnable
        Number of numeric objectives that can be learned.
    n_rows
        Number of rows over which the loss is averaged, of which these may be a part.
    """
    losses = [
        cross_entropy(logits, expected.classes[:, c], ignore_index=UNKNOWN, reduction="sum")
        / (n_rows * math.log(max(2, logits.shape[1])))
        for c, logits in enumerate(outputs.classes)
    ]
    total = torch.stack(losses).sum() if losses else outputs.representation.new_zeros(())
    if n_learnable:
        total = total + n_learnable * property_loss(outputs.numbers, expected.numbers, n_learnable, n_rows)
    mean = total / (n_learnable + len(losses))
    return mean if outputs.penalty is None else mean + outputs.penalty * (len(expected) / n_rows)


@dataclass(frozen=True, eq=False)
class Judge:
    """Compares epochs by predictions for the same rows, of the same facets.

    Attributes
    ----------
    numbers
        Judges numbers; None without any that can tell epochs apart.
    classes
        Class of each row for each other objective, -1 where unknown, shape ``(rows, objectives)``.
    shares
        Probability of each class in the training rows, one per objective: a prediction to be compared with.
    """

    numbers: EpochChoice | None
    classes: torch.Tensor
    shares: tuple[torch.Tensor, ...]

    @property
    def can_tell(self) -> bool:
        """Whether any objective can tell epochs apart."""
        return self.numbers is not None or bool((self.classes != UNKNOWN).any())

    def error(self, numbers: torch.Tensor, classes: Sequence[torch.Tensor]) -> float:
        """Return the mean error over objectives, relative to that of the median or the shares of classes.

        Parameters
        ----------
        numbers, classes
            See `polyfacet.training.engines.joint.outputs.Outputs`.
        """
        errors = []
        if self.numbers is not None:
            n_deciding = int(self.numbers.decides.sum())
            errors += [self.numbers.error(numbers.double().numpy())] * n_deciding
        for c, (logits, shares) in enumerate(zip(classes, self.shares, strict=True)):
            true = self.classes[:, c]
            if (true == UNKNOWN).all():
                continue
            loss, of_shares = (
                float(cross_entropy(each, true, ignore_index=UNKNOWN))
                for each in (logits, shares.log().expand_as(logits))
            )
            errors.append(min(loss / of_shares, WORST) if math.isfinite(loss) else math.inf)
        return float(np.mean(errors))


def shares_of_classes(classes: torch.Tensor, n_classes: int) -> torch.Tensor:
    """Return the share of each class among known ones, none of them 0, shape ``(n_classes,)``."""
    known = classes[classes != UNKNOWN]
    counts = one_hot(known, n_classes).sum(dim=0) + 1.0
    return counts / counts.sum()
