"""Fusions of one vector per facet: concatenation, mean, gates."""

import torch
from torch import nn

from polyfacet.training.engines.joint.fusion.base import Fusion
from polyfacet.training.engines.joint.tokens import Fused, Tokens, mean_over_present, uniform_weights

# Of a facet that is missing; the derivative of the entropy at 0 is infinite.
LEAST_WEIGHT = 1e-9


class FacetMaps(nn.Module):
    """A linear map of its own for the vector of each facet."""

    def __init__(self, n_facets: int, width: int) -> None:
        super().__init__()
        self.maps = nn.ModuleList(nn.Linear(width, width) for _ in range(n_facets))

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        """Map vectors of shape ``(rows, facets, width)``."""
        return torch.stack([map_(vectors[:, f]) for f, map_ in enumerate(self.maps)], dim=1)


class Concatenation(Fusion):
    """All vectors side by side, a learned one where a facet is missing, and which facets are present."""

    def __init__(self, n_facets: int, width: int, dropout: float) -> None:
        super().__init__()
        self.missing = nn.Parameter(torch.zeros(n_facets, width))
        self.layers = nn.Sequential(
            nn.Linear(n_facets * (width + 1), 2 * width),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(2 * width, width),
        )

    def forward(self, tokens: Tokens) -> Fused:
        """Fuse the facets that are present."""
        vectors = torch.where(tokens.present[..., None], tokens.pooled(), self.missing)
        return Fused(self.layers(torch.cat([vectors.flatten(1), tokens.present.to(vectors)], dim=1)))


class Mean(Fusion):
    """The mean of the mapped vectors of the facets that are present."""

    def __init__(self, n_facets: int, width: int) -> None:
        super().__init__()
        self.maps = FacetMaps(n_facets, width)

    def forward(self, tokens: Tokens) -> Fused:
        """Fuse the facets that are present."""
        mapped = self.maps(tokens.pooled())
        return Fused(mean_over_present(mapped, tokens.present), uniform_weights(tokens.present))


class Gated(Fusion):
    """A mean weighted by gates, which see the vector of their facet and the mean of all.

    Parameters
    ----------
    softmax
        Whether the gates of a row compete (softmax); otherwise each is a sigmoid, and they are normalised.
    entropy
        Weight of the mean entropy of the gates, which is added to what training maximises.
    """

    def __init__(self, n_facets: int, width: int, *, softmax: bool, entropy: float) -> None:
        super().__init__()
        self.softmax, self.entropy = softmax, entropy
        self.maps = FacetMaps(n_facets, width)
        self.query = nn.Parameter(torch.zeros(n_facets, 2 * width))
        self.bias = nn.Parameter(torch.zeros(n_facets))

    def forward(self, tokens: Tokens) -> Fused:
        """Fuse the facets that are present."""
        vectors, present = tokens.pooled(), tokens.present
        logits = torch.einsum("bfd,fd->bf", _in_context(vectors, present), self.query) + self.bias
        if self.softmax:
            weights = logits.masked_fill(~present, -torch.inf).softmax(dim=1)
        else:
            gates = logits.sigmoid() * present
            weights = gates / gates.sum(dim=1, keepdim=True)
        fused = torch.einsum("bf,bfd->bd", weights, self.maps(vectors))
        return Fused(fused, weights, self._penalty(weights) if self.entropy and self.training else None)

    def _penalty(self, weights: torch.Tensor) -> torch.Tensor:
        return -self.entropy * torch.special.entr(weights.clamp_min(LEAST_WEIGHT)).sum(dim=1).mean()


class GatedVector(Fusion):
    """A mean whose weights differ between numbers: a gate for each number of each facet.

    Shares of facets are the means of the gates over the numbers.
    """

    def __init__(self, n_facets: int, width: int) -> None:
        super().__init__()
        self.maps = FacetMaps(n_facets, width)
        self.gates = nn.ModuleList(nn.Linear(2 * width, width) for _ in range(n_facets))

    def forward(self, tokens: Tokens) -> Fused:
        """Fuse the facets that are present."""
        vectors, present = tokens.pooled(), tokens.present
        seen = _in_context(vectors, present)
        logits = torch.stack([gate(seen[:, f]) for f, gate in enumerate(self.gates)], dim=1)
        weights = logits.masked_fill(~present[..., None], -torch.inf).softmax(dim=1)
        return Fused((weights * self.maps(vectors)).sum(dim=1), weights.mean(dim=2))


def _in_context(vectors: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
    """Return the vector of each facet beside the mean of all, shape ``(rows, facets, 2 width)``."""
    context = mean_over_present(vectors, present)[:, None].expand_as(vectors)
    return torch.cat([vectors, context], dim=-1)
