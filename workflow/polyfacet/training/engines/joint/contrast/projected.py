"""The joint network with the representations in which materials are compared."""

from collections.abc import Sequence

import torch
from torch import nn

from polyfacet.training.engines.joint.examples import Shown
from polyfacet.training.engines.joint.model import JointNetwork
from polyfacet.training.engines.joint.tokens import Tokens


class ProjectedNetwork(nn.Module):
    """Represents rows seen through subsets of their facets: towers, fusion and a linear projection."""

    def __init__(self, network: JointNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, views: Sequence[Shown], subsets: torch.Tensor) -> torch.Tensor:
        """Represent each view of some rows through each of the subsets.

        Parameters
        ----------
        views
            The same rows, augmented in different ways.
        subsets
            Facets that are kept, shape ``(subsets, rows, facets)``.

        Returns
        -------
        torch.Tensor
            Normalised, shape ``(views, subsets, rows, numbers)``; where nothing is kept of a row, it is
            represented by all of its facets.
        """
        return torch.stack([self._of_view(self.network.tokens(shown), subsets) for shown in views])

    def _of_view(self, tokens: Tokens, subsets: torch.Tensor) -> torch.Tensor:
        return torch.stack(
            [self.network.projected(tokens.of_subset(kept)) for kept in filled(subsets, tokens)]
        )


def filled(subsets: torch.Tensor, tokens: Tokens) -> torch.Tensor:
    """Keep all facets of rows of which a subset keeps none: a fusion needs something to look at."""
    empty = ~(subsets & tokens.present).any(dim=-1, keepdim=True)
    return subsets | empty
