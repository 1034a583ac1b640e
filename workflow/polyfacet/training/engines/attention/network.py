"""The network: self-attention over the elements of a formula.

After CrabNet (Wang, Kauwe, Murdock and Sparks, "Compositionally restricted attention-based network for
materials property predictions", npj Computational Materials 7, 77 (2021)): an element is described by a
vector and by its fraction, resolved linearly and logarithmically; the elements of a formula attend to each
other; each contributes to the answer.  Here, contributions are weighted by the fractions.
"""

import torch
from torch import nn

from polyfacet.training.engines.attention.settings import AttentionSettings, ElementVectors
from polyfacet.training.engines.element_tokens import ElementTokens
from polyfacet.training.engines.formulas import Formulas

N_HEADS = 4


class AttentionNetwork(ElementTokens):
    """Answers of shape ``(formulas, outputs)``."""

    def __init__(self, settings: AttentionSettings, n_outputs: int) -> None:
        width = settings.width
        super().__init__(width)
        layer = nn.TransformerEncoderLayer(
            width, N_HEADS, 2 * width, settings.dropout, activation="gelu", batch_first=True
        )
        self.attention = nn.TransformerEncoder(layer, settings.layers, enable_nested_tensor=False)
        self.contribution = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, n_outputs))

    def start_from(self, chosen: ElementVectors) -> None:
        """Set what is known of the elements before training."""
        if chosen == "matscholar":
            self.start_from_literature()

    def forward(self, formulas: Formulas) -> torch.Tensor:
        """Add up the contributions of the elements, each times its fraction."""
        tokens = self.attention(self.tokens(formulas), src_key_padding_mask=formulas.elements == 0)
        return (self.contribution(tokens) * formulas.fractions[..., None]).sum(dim=1)
