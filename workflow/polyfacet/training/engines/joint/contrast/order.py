"""Order-aware contrast: representations are as far apart as the values of the objectives."""

import torch

from polyfacet.training.engines.joint.contrast.loss import Loss

# Logit of a pair that does not count; gradients of an infinite one would be unknown.
ABSENT = -1e9


def order_loss(representations: torch.Tensor, values: torch.Tensor, temperature: float) -> Loss:
    r"""Return the Rank-N-Contrast loss (Zha et al. 2023), of which ORDER makes use.

    For each pair of rows i and j, with :math:`S_{ij}` the rows that are at least as far from i in their
    values as j is,

    .. math:: -\frac{1}{n(n-1)} \sum_i \sum_{j \ne i}
        \log \frac{\exp(s_{ij} / \tau)}{\sum_{k \in S_{ij}} \exp(s_{ik} / \tau)},

    where s is the cosine of representations.  The distance of values is the root of the mean square over the
    objectives that both rows have; pairs without any do not count.

    Parameters
    ----------
    representations
        Normalised, shape ``(rows, numbers)``.
    values
        Scaled objectives, shape ``(rows, objectives)``; NaN where unknown.
    temperature
        The temperature.
    """
    far, counts = _distances(values)
    similarity = representations @ representations.T / temperature
    # Sorted by distance, farthest first, the rows of a set S are those up to the last one that is as far.
    order = far.argsort(dim=1, descending=True)
    ranked = similarity.masked_fill(~counts, ABSENT).gather(1, order)
    ascending = far.gather(1, order.flip(1))
    n_nearer = torch.searchsorted(ascending, far.gather(1, order).contiguous())
    last = (far.shape[1] - 1 - n_nearer).clamp_min(0)
    sums = ranked.logcumsumexp(dim=1).gather(1, last)
    counted = counts.gather(1, order)
    losses = torch.where(counted, sums - ranked, 0)
    n_pairs = int(counted.sum())
    return Loss(losses.sum() / max(1, n_pairs), n_pairs)


def _distances(values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return distances, -1 where there is none, and which pairs have one; shape ``(rows, rows)``."""
    known = values.isfinite()
    filled = torch.where(known, values, 0)
    both = known[:, None] & known
    n_both = both.sum(dim=2)
    squares = ((filled[:, None] - filled) ** 2 * both).sum(dim=2)
    counts = (n_both > 0) & ~torch.eye(len(values), dtype=torch.bool)
    return torch.where(counts, (squares / n_both.clamp_min(1)).sqrt(), -1.0), counts
