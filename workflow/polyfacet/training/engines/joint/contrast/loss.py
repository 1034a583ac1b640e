"""One contrastive loss: masked, aware of duplicates, with or without negatives of the same kind."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from polyfacet.training.engines.joint.contrast.settings import Duplicates


@dataclass(frozen=True, eq=False)
class Loss:
    """A mean, and the number of terms that it is the mean of.

    Attributes
    ----------
    mean
        The mean; 0 without terms.
    n
        Their number.
    """

    mean: torch.Tensor
    n: int


def mean_of(losses: Sequence[Loss]) -> Loss:
    """Return the mean of the losses that have terms, with the number of all terms."""
    known = [loss.mean for loss in losses if loss.n]
    # Processes wait for the gradients of all weights, also where there is nothing to learn.
    nothing = sum(loss.mean for loss in losses if not loss.n)
    total = sum(loss.n for loss in losses)
    return Loss(torch.stack(known).mean() + nothing if known else torch.as_tensor(nothing), total)


@dataclass(frozen=True)
class Comparison:
    """How representations are compared.

    Attributes
    ----------
    temperature
        Divides cosines.
    duplicates
        What two rows with equal content are to each other.
    within
        Whether representations of the same kind are negatives, too: as in SimCLR, SGPT and CoMM; not as in
        CLIP and MultiMat.
    """

    temperature: float
    duplicates: Duplicates
    within: bool


def contrastive_loss(
    first: torch.Tensor,
    second: torch.Tensor,
    same_first: torch.Tensor,
    same_second: torch.Tensor,
    comparison: Comparison,
) -> Loss:
    r"""Return the mean loss of telling the partner of each representation from those of other rows.

    With the 2n representations :math:`u` of n rows, partners :math:`p(j)` and candidates :math:`C_j`,

    .. math:: -\frac{1}{2n} \sum_j \log
        \frac{\exp(u_j u_{p(j)} / \tau)}{\sum_{k \in C_j} \exp(u_j u_k / \tau)}.

    Both directions count alike.  The candidates are all representations of the other kind, and with
    ``within`` those of the same kind but the row itself: InfoNCE (van den Oord et al. 2018) in the forms of
    CLIP (Radford et al. 2021) and SimCLR (Chen et al. 2020).  Duplicates that are positive share the target
    (Khosla et al. 2020).  A representation without any negative candidate is no term of the mean.

    Parameters
    ----------
    first, second
        Normalised representations of the same rows, shape ``(rows, numbers)``.
    same_first, same_second
        Whether a row cannot be told from another by what it was made from, shape ``(rows, rows)``: all that
        was shown of the first of the two is the same in the second.
    comparison
        How they are compared.
    """
    n_rows = len(first)
    together = torch.cat([first, second])
    if n_rows < 2:
        return Loss(0 * together.sum(), 0)
    logits = together @ together.T / comparison.temperature
    itself = torch.eye(2 * n_rows, dtype=torch.bool)
    partner = itself.roll(n_rows, dims=1)
    across = same_first | same_second.T
    blocks = [[same_first & same_first.T, across], [across.T, same_second & same_second.T]]
    equal = torch.cat([torch.cat(row, dim=1) for row in blocks]) & ~itself & ~partner
    candidates = ~itself
    if not comparison.within:
        kind = torch.arange(2 * n_rows) < n_rows
        candidates = candidates & (kind[:, None] != kind)
    positive = partner
    if comparison.duplicates == "ignore":
        candidates = candidates & ~equal
    elif comparison.duplicates == "positive":
        positive = partner | (equal & candidates)
    chances = logits.masked_fill(~candidates, -torch.inf).log_softmax(dim=1)
    losses = -chances.masked_fill(~positive, 0).sum(dim=1) / positive.sum(dim=1)
    is_term = (candidates & ~positive).any(dim=1)
    n_terms = int(is_term.sum())
    return Loss((losses * is_term).sum() / max(1, n_terms), n_terms)
