"""Towers: from the content of a facet to its tokens.

No tower uses statistics of a batch, so that the answer for a row does not depend on the others.
"""

from typing import Literal

import torch
from torch import nn

from polyfacet.encodings.pixels import SIZE
from polyfacet.training.engines.element_tokens import ElementTokens
from polyfacet.training.engines.formulas import Formulas
from polyfacet.training.engines.joint.settings import JointSettings

# Attention layer of the elements of a formula.
N_HEADS = 4
# Channels after each convolution that halves the size of a picture.
CHANNELS = (16, 32, 64, 128)
GROUPS = 8
KERNEL = 3
# Pixels become numbers from -1 to 1.
HALF = 127.5

# What a tower reads.
Form = Literal["formula", "numbers", "columns", "picture", "crystal"]
# Tokens, shape ``(rows, tokens, width)``, and their shares, shape ``(rows, tokens)``.
Read = tuple[torch.Tensor, torch.Tensor]


class FormulaTower(ElementTokens):
    """The elements of a formula as a set: a token each, whose share is its atomic fraction."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__(width)
        self.attention = nn.TransformerEncoderLayer(
            width, N_HEADS, 2 * width, dropout, activation="gelu", batch_first=True, norm_first=True
        )
        self.start_from_literature()

    def forward(self, formulas: Formulas) -> Read:
        """Let the elements of each formula attend to each other."""
        padding = formulas.elements == 0
        # Attention needs something to look at: in a row without a formula, padding, which has no share.
        padding = padding & ~padding.all(dim=1, keepdim=True)
        return self.attention(self.tokens(formulas), src_key_padding_mask=padding), formulas.fractions


class VectorTower(nn.Module):
    """Numbers as one or several tokens, by a network with one hidden layer."""

    def __init__(self, size: int, width: int, n_tokens: int, dropout: float) -> None:
        super().__init__()
        self.n_tokens = n_tokens
        self.layers = nn.Sequential(
            nn.Linear(size, 2 * width),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(2 * width, n_tokens * width),
        )

    def forward(self, numbers: torch.Tensor) -> Read:
        """Read numbers of shape ``(rows, size)``."""
        tokens = self.layers(numbers).unflatten(1, (self.n_tokens, -1))
        return tokens, tokens.new_full(tokens.shape[:2], 1 / self.n_tokens)


class ColumnTower(nn.Module):
    """Numbers as one token each, a multiple of a learned vector (FT-Transformer, Gorishniy et al. 2021)."""

    def __init__(self, size: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(size, width) / width**0.5)
        # Without it, normalised tokens would tell the sign of a number alone.
        self.bias = nn.Parameter(torch.randn(size, width) / width**0.5)

    def forward(self, numbers: torch.Tensor) -> Read:
        """Read numbers of shape ``(rows, size)``."""
        tokens = numbers[..., None] * self.weight + self.bias
        return tokens, tokens.new_full(tokens.shape[:2], 1 / tokens.shape[1])


class PictureTower(nn.Module):
    """Pictures as 16 tokens, one per region, by four convolutions with group normalisation."""

    def __init__(self, width: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in zip((3, *CHANNELS), CHANNELS, strict=False):
            layers += [
                nn.Conv2d(before, after, KERNEL, stride=2, padding=1),
                nn.GroupNorm(GROUPS, after),
                nn.GELU(),
            ]
        self.layers = nn.Sequential(*layers)
        self.token = nn.Linear(CHANNELS[-1], width)
        self.n_tokens = (SIZE >> len(CHANNELS)) ** 2
        self.place = nn.Parameter(torch.zeros(self.n_tokens, width))

    def forward(self, pixels: torch.Tensor) -> Read:
        """Read bytes of shape ``(rows, views, 3, 64, 64)``; the tokens are means over the views."""
        maps = self.layers(pixels.flatten(0, 1).to(self.place.dtype) / HALF - 1)
        regions = maps.unflatten(0, pixels.shape[:2]).mean(dim=1).flatten(2).transpose(1, 2)
        tokens = self.token(regions) + self.place
        return tokens, tokens.new_full(tokens.shape[:2], 1 / self.n_tokens)


def new_tower(form: Form, size: int, settings: JointSettings) -> nn.Module:
    """Create the tower of a facet; ``size`` is how many numbers it has, if it reads numbers."""
    if form == "formula":
        return FormulaTower(settings.width, settings.dropout)
    if form == "picture":
        return PictureTower(settings.width)
    if form == "columns":
        return ColumnTower(size, settings.width)
    if form == "crystal":
        # Takes seconds, and only networks with such a tower need it.
        from polyfacet.training.engines.joint.graph_tower import GraphTower  # noqa: PLC0415

        sizes = (settings.graph_width, settings.graph_layers)
        return GraphTower(sizes, settings.width, settings.vector_tokens, settings.dropout)
    return VectorTower(size, settings.width, settings.vector_tokens, settings.dropout)
