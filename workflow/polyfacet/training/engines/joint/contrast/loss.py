"""One contrastive loss: masked, aware of duplicates, with or without negatives of the same kind."""

from dataclasses import dataclass

import torch

from polyfacet.training.engines.joint.contrast.settings import Duplicates


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
) -> torch.Tensor:
    r"""Return the mean loss of telling the partner of each representation from those of other rows.

    With the 2n representations :math:`u` of n rows, partners :math:`p(j)` and candidates :math:`C_j`,

    .. math:: -\frac{1}{2n} \sum_j \log
        \frac{\exp(u_j u_{p(j)} / \tau)}{\sum_{k \in C_j} \exp(u_j u_k / \tau)}.

    Both directions count alike.  The candidates are all representations of the other kind, and with
    ``within`` those of the same kind but the row itself: InfoNCE (van den Oord et al. 2018) in the forms of
    CLIP (Radford et al. 2021) and SimCLR (Chen et al. 2020).  Duplicates that are positive share the target
    (Khosla et al. 2020).

    Parameters
    ----------
    first, second
        Normalised representations of the same rows, shape ``(rows, numbers)``.
    same_first, same_second
        Whether two rows have the same content in what each was made from, shape ``(rows, rows)``.
    comparison
        How they are compared.

    Returns
    -------
    torch.Tensor
        0 with fewer than two rows.
    """
    n_rows = len(first)
    together = torch.cat([first, second])
    if n_rows < 2:
        return 0 * together.sum()
    logits = together @ together.T / comparison.temperature
    itself = torch.eye(2 * n_rows, dtype=torch.bool)
    partner = itself.roll(n_rows, dims=1)
    across = same_first | same_second
    equal = torch.cat([torch.cat([same_first, across], 1), torch.cat([across, same_second], 1)])
    equal = equal & ~itself & ~partner
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
    of_positives = chances.masked_fill(~positive, 0).sum(dim=1) / positive.sum(dim=1)
    return -of_positives.mean()
