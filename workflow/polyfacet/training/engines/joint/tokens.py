"""What towers hand to a fusion, and what a fusion returns."""

from dataclasses import dataclass, replace

import torch
from torch.nn.functional import one_hot


@dataclass(frozen=True, eq=False)
class Tokens:
    """Tokens of the facets of some rows.

    Attributes
    ----------
    values
        Shape ``(rows, tokens, width)``; finite, also where a facet is missing.
    shares
        Share of each token in its facet, shape ``(rows, tokens)``.  Those of a facet that is present add up
        to 1; those of padding and of missing facets are 0.
    facets
        Index of the facet that each token belongs to, shape ``(tokens,)``.
    present
        Whether a row has a facet, shape ``(rows, facets)``; at least one per row.
    """

    values: torch.Tensor
    shares: torch.Tensor
    facets: torch.Tensor
    present: torch.Tensor

    def __getitem__(self, rows: torch.Tensor) -> "Tokens":
        return replace(self, values=self.values[rows], shares=self.shares[rows], present=self.present[rows])

    def of_subset(self, kept: torch.Tensor) -> "Tokens":
        """Hide facets of each row; ``kept`` has shape ``(rows, facets)``."""
        present = self.present & kept
        return replace(self, shares=self.shares * present[:, self.facets], present=present)

    @property
    def shown(self) -> torch.Tensor:
        """Whether a token is one of a facet that is present, shape ``(rows, tokens)``."""
        return self.shares > 0

    @property
    def owners(self) -> torch.Tensor:
        """Which facet each token belongs to, as 1 and 0, shape ``(tokens, facets)``."""
        return one_hot(self.facets, self.present.shape[1]).to(self.values)

    def pooled(self) -> torch.Tensor:
        """Return one vector per facet, shape ``(rows, facets, width)``; 0 where it is missing."""
        return torch.einsum("bk,kf,bkd->bfd", self.shares, self.owners, self.values)


@dataclass(frozen=True, eq=False)
class Fused:
    """The representation that a fusion makes of the tokens.

    Attributes
    ----------
    values
        Shape ``(rows, width)``.
    weights
        Share of each facet in the representation, shape ``(rows, facets)``, adding up to 1; 0 for missing
        facets.  None if the fusion has no such shares, or `Fusion.weights` has to compute them.
    penalty
        Added to the loss in training; None for nothing.
    """

    values: torch.Tensor
    weights: torch.Tensor | None = None
    penalty: torch.Tensor | None = None


def mean_over_present(values: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
    """Average one vector per facet over the facets of each row.

    Parameters
    ----------
    values
        Shape ``(rows, facets, width)``.
    present
        Shape ``(rows, facets)``.
    """
    counted = present.to(values)[..., None]
    return (values * counted).sum(dim=1) / counted.sum(dim=1)


def uniform_weights(present: torch.Tensor) -> torch.Tensor:
    """Return equal shares of the facets of each row, shape ``(rows, facets)``."""
    counted = present.float()
    return counted / counted.sum(dim=1, keepdim=True)
