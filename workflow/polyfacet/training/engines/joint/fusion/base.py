"""The base class of fusions."""

import torch
from torch import nn

from polyfacet.training.engines.joint.tokens import Fused, Tokens


class Fusion(nn.Module):
    """Makes one representation of the tokens of the facets that are present."""

    def forward(self, tokens: Tokens) -> Fused:
        """Fuse the facets that are present."""
        raise NotImplementedError

    def weights(self, tokens: Tokens) -> torch.Tensor | None:
        """Return the share of each facet in the result, shape ``(rows, facets)``; None without any."""
        return self(tokens).weights
