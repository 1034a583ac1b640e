"""Alignment of all facets of a row in one direction, and of rows in different ones."""

import torch
from torch.nn.functional import normalize

# Added to the diagonal before eigenvectors are computed, whose gradients are unstable where values are equal.
RIDGE = 1e-4


def alignment_loss(representations: torch.Tensor, same: torch.Tensor, temperature: float) -> torch.Tensor:
    r"""Return the loss of leading singular directions (PMRL; CalMRL, with imputed facets).

    With the singular values :math:`\sigma_1 \ge \sigma_2 \ge \ldots` of the representations of the facets of
    a row, and u the leading direction, it is the mean over rows of

    .. math:: -\log \mathrm{softmax}(\sigma / \tau)_1 -\log \mathrm{softmax}_j (u_i u_j / \tau)_i :

    all facets of a row point in one direction, and rows in different ones.

    Parameters
    ----------
    representations
        Normalised, of all facets, shape ``(rows, facets, numbers)``.
    same
        Whether two rows are the same in all they show, shape ``(rows, rows)``: no negatives.
    temperature
        The temperature of both.
    """
    if not len(representations):
        return 0 * representations.sum()
    exact = representations.double()
    gram = exact @ exact.transpose(1, 2)
    gram = gram + RIDGE * torch.eye(gram.shape[1], dtype=gram.dtype)
    squares, vectors = torch.linalg.eigh(gram)
    values = squares.clamp_min(0).sqrt()
    within = -(values / temperature).log_softmax(dim=1)[:, -1].mean()
    leading = normalize(torch.einsum("bfp,bf->bp", exact, vectors[:, :, -1]), dim=1)
    sign = torch.einsum("bp,bp->b", leading, exact.mean(dim=1)).sign()
    leading = leading * torch.where(sign == 0, 1.0, sign)[:, None]
    ignored = same & ~torch.eye(len(same), dtype=torch.bool)
    logits = (leading @ leading.T / temperature).masked_fill(ignored, -torch.inf)
    between = -logits.log_softmax(dim=1).diagonal().mean()
    return (within + between).to(representations)
