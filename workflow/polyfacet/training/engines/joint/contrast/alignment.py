"""Alignment of all facets of a row in one direction, and of rows in different ones."""

import torch
from torch.nn.functional import normalize

from polyfacet.training.engines.joint.contrast.loss import Loss

# Added to the diagonal, different for each entry: eigenvectors of equal values have no finite gradient.
RIDGE = 1e-4


def alignment_loss(representations: torch.Tensor, same: torch.Tensor, temperature: float) -> Loss:
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
        Whether all that a row shows is the same in another, shape ``(rows, rows)``: if that holds both ways,
        they are no negatives.
    temperature
        The temperature of both.
    """
    n_rows, n_facets, _ = representations.shape
    if n_rows < 2:
        return Loss(0 * representations.sum(), 0)
    exact = representations.double()
    gram = exact @ exact.transpose(1, 2)
    gram = gram + RIDGE * torch.linspace(1, 2, n_facets, dtype=gram.dtype).diag()
    squares, vectors = torch.linalg.eigh(gram)
    values = squares.clamp_min(0).sqrt()
    within = -(values / temperature).log_softmax(dim=1)[:, -1].mean()
    leading = normalize(torch.einsum("bfp,bf->bp", exact, vectors[:, :, -1]), dim=1)
    sign = torch.einsum("bp,bp->b", leading, exact.mean(dim=1)).sign()
    leading = leading * torch.where(sign == 0, 1.0, sign)[:, None]
    ignored = same & same.T & ~torch.eye(n_rows, dtype=torch.bool)
    logits = (leading @ leading.T / temperature).masked_fill(ignored, -torch.inf)
    between = -logits.log_softmax(dim=1).diagonal().mean()
    return Loss((within + between).to(representations), n_rows)
