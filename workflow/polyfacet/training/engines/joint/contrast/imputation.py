"""Imputation of the representations of missing facets, by probabilistic principal components."""

import torch
from torch import nn

ITERATIONS = 15
# Smallest variance of the noise: representations on a sphere that all agree have none.
LEAST_NOISE = 1e-6


class Imputer(nn.Module):
    r"""A linear Gaussian model of the representations of all facets of a row.

    The representation of facet f is :math:`W_f \beta + \mu_f + \epsilon` with :math:`\beta \sim N(0, 1)` of
    some rank, the same for all facets of a row, and noise of variance :math:`s_f^2` (Tipping and Bishop 1999;
    the imputation of CalMRL).  It is fitted by expectation maximisation on rows that lack any facets.

    Its parameters are buffers, so that they are part of the state of a training.
    """

    loadings: torch.Tensor
    means: torch.Tensor
    noise: torch.Tensor

    def __init__(self, n_facets: int, size: int, rank: int) -> None:
        super().__init__()
        self.register_buffer("loadings", torch.zeros(n_facets, size, rank))
        self.register_buffer("means", torch.zeros(n_facets, size))
        self.register_buffer("noise", torch.ones(n_facets))

    def fit(self, representations: torch.Tensor, present: torch.Tensor) -> None:
        """Fit the model.

        Parameters
        ----------
        representations
            Shape ``(rows, facets, numbers)``; those of missing facets are ignored.
        present
            Whether a row has a facet, shape ``(rows, facets)``.
        """
        values = torch.where(present[..., None], representations, 0).double()
        n_rows = present.sum(dim=0).clamp_min(1)
        means = values.sum(dim=0) / n_rows[:, None]
        loadings, noise = self._start(values, present, means)
        for _ in range(ITERATIONS):
            causes, spread = _causes(values, present, loadings, means, noise)
            second = spread + causes[:, :, None] * causes[:, None]
            for facet in range(present.shape[1]):
                has = present[:, facet]
                if not has.any():
                    continue
                own, moments = causes[has], second[has].sum(dim=0)
                centred = values[has, facet] - means[facet]
                loadings[facet] = torch.linalg.solve(moments, own.T @ centred).T
                explained = own @ loadings[facet].T
                means[facet] = (values[has, facet] - explained).mean(dim=0)
                centred = values[has, facet] - means[facet]
                rest = centred.square().sum() - 2 * (centred * explained).sum()
                rest = rest + (loadings[facet].T @ loadings[facet] * moments).sum()
                noise[facet] = (rest / centred.numel()).clamp_min(LEAST_NOISE)
        for buffer, found in zip(self.buffers(), (loadings, means, noise), strict=True):
            buffer.copy_(found)

    def impute(self, representations: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
        """Return the representations with those of missing facets filled in, shape as given."""
        values = torch.where(present[..., None], representations, 0).double()
        loadings, means, noise = (buffer.double() for buffer in self.buffers())
        causes, _ = _causes(values, present, loadings, means, noise)
        expected = torch.einsum("fpk,bk->bfp", loadings, causes) + means
        return torch.where(present[..., None], representations, expected.to(representations))

    def _start(
        self, values: torch.Tensor, present: torch.Tensor, means: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Start from the principal components of the facets side by side, missing ones at their mean."""
        centred = torch.where(present[..., None], values - means, 0)
        n_rows, n_facets, size = centred.shape
        flat = centred.flatten(1)
        variances, axes = torch.linalg.eigh(flat.T @ flat / n_rows)
        rank = self.loadings.shape[2]
        kept = min(rank, len(variances))
        scaled = axes[:, -kept:] * variances[-kept:].clamp_min(0).sqrt()
        loadings = torch.zeros(n_facets, size, rank, dtype=torch.float64)
        loadings[:, :, :kept] = scaled.reshape(n_facets, size, kept)
        counts = (present.sum(dim=0) * size).clamp_min(1)
        noise = (centred.square().sum(dim=(0, 2)) / counts).clamp_min(LEAST_NOISE)
        return loadings, noise


def _causes(
    values: torch.Tensor,
    present: torch.Tensor,
    loadings: torch.Tensor,
    means: torch.Tensor,
    noise: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the expected causes of each row, shape ``(rows, rank)``, and their covariance."""
    precisions = torch.einsum("fpk,fpl->fkl", loadings, loadings) / noise[:, None, None]
    # It depends on which facets a row has alone: few inverses serve all rows.
    patterns, pattern = present.unique(dim=0, return_inverse=True)
    identity = torch.eye(loadings.shape[2], dtype=values.dtype)
    covariances = torch.linalg.inv(identity + torch.einsum("mf,fkl->mkl", patterns.to(values), precisions))
    spread = covariances[pattern]
    centred = torch.where(present[..., None], values - means, 0) / noise[:, None]
    evidence = torch.einsum("bfp,fpk->bk", centred, loadings)
    return torch.einsum("bkl,bl->bk", spread, evidence), spread
