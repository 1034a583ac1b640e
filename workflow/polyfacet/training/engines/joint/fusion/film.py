"""Feature-wise linear modulation (FiLM) of the representation, by the facets that are present."""

import torch
from torch import nn

# With more facets, most subsets would never be seen.
MOST_FACETS = 10


class PresenceFiLM(nn.Module):
    """A scale and a shift of each number of the representation, for each subset of facets.

    ``scale`` is the difference from 1, so that weight decay pulls towards no change.
    """

    def __init__(self, n_facets: int, width: int) -> None:
        super().__init__()
        n_subsets = 2**n_facets
        self.scale = nn.Parameter(torch.zeros(n_subsets, width))
        self.shift = nn.Parameter(torch.zeros(n_subsets, width))

    def reset(self) -> None:
        """Change nothing."""
        for weight in (self.scale, self.shift):
            nn.init.zeros_(weight)

    def forward(self, values: torch.Tensor, present: torch.Tensor) -> torch.Tensor:
        """Modulate values of shape ``(rows, width)``; ``present`` has shape ``(rows, facets)``."""
        bits = 2 ** torch.arange(present.shape[1], device=present.device)
        subset = (present * bits).sum(dim=1)
        return values * (1 + self.scale[subset]) + self.shift[subset]
