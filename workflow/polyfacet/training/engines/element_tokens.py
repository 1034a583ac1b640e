"""The elements of formulas as tokens: what is known of an element, what is learned of it, its fraction."""

import torch
from torch import nn

from polyfacet.elements.vectors import N_VECTOR, matscholar_vectors
from polyfacet.training.engines.formulas import INDICES, Formulas

# Gaussian bumps on each of the two scales of a fraction, from 0 to 1.
N_BUMPS = 32
BUMP_WIDTH = 1 / N_BUMPS
# The logarithmic scale covers this many powers of ten.
DECADES = 6


class ElementTokens(nn.Module):
    """Base of networks that read formulas; see `tokens`."""

    vectors: torch.Tensor
    centres: torch.Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("vectors", torch.zeros(len(INDICES) + 1, N_VECTOR))
        self.register_buffer("centres", torch.linspace(0, 1, N_BUMPS))
        self.known = nn.Linear(N_VECTOR, width)
        self.learned = nn.Embedding(len(INDICES) + 1, width, padding_idx=0)
        self.fraction = nn.Linear(2 * N_BUMPS, width)

    def start_from_literature(self) -> None:
        """Let the Matscholar vectors be what is known of the elements; nothing is learned of them yet."""
        # Index 0 is padding.
        self.vectors[1:] = torch.from_numpy(matscholar_vectors())
        nn.init.zeros_(self.learned.weight)

    def tokens(self, formulas: Formulas) -> torch.Tensor:
        """Return a vector per element, shape ``(formulas, elements, width)``."""
        elements, fractions = formulas.elements, formulas.fractions
        return (
            self.known(self.vectors[elements])
            + self.learned(elements)
            + self.fraction(self._resolved(fractions))
        )

    def _resolved(self, fractions: torch.Tensor) -> torch.Tensor:
        """Resolve fractions on both scales, shape ``(..., 2 * N_BUMPS)``."""
        logarithms = 1 + fractions.clamp_min(10.0**-DECADES).log10() / DECADES
        scales = torch.stack([fractions, logarithms], dim=-1)[..., None]
        return torch.exp(-(((scales - self.centres) / BUMP_WIDTH) ** 2) / 2).flatten(start_dim=-2)
