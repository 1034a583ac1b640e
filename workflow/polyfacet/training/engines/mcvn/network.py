"""The network: a convolutional branch for the composition image, an attention branch for original features.

Source: Yu, Wu and Qian, "Material Composition Visualization Network", with the sizes of its published code.
With N original features:

    image      Conv 1->3 (3x3, stride 3), Conv 3->8 (3x3), Conv 8->4 (3x3), Conv 4->1 (2x2), Linear 6->4, ReLU
    original   attention (N, 2 heads), Linear N->8, ReLU
    fusion     attention (12, 2 heads), BatchNorm, Linear 12->8, ReLU, Linear 8->4, ReLU, Linear 4->outputs

In the published code a sample is a sequence of length one: its only weight is 1, attention is a linear map,
and queries and keys receive no gradient.  With nothing between the convolutions, they are one linear map
too.  The variant ``fixed`` has attention between features, each of them a token, and activations between
convolutions.
"""

from typing import Literal

import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention

Variant = Literal["published", "fixed"]
Attention = Literal["both", "original", "fusion", "none"]

N_HEADS = 2
TOKEN_WIDTH = 8
ORIGINAL_WIDTH = 8
IMAGE_WIDTH = 4


class SelfAttention(nn.Module):
    """Multi-head self-attention with a residual connection and normalisation.

    Heads are ``width // 2`` wide, at least 1; the last layer maps them back to the width, so that it can be
    odd (where the published code fails).
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        inner = N_HEADS * max(1, width // N_HEADS)
        self.query, self.key, self.value = (nn.Linear(width, inner) for _ in range(3))
        self.output = nn.Linear(inner, width)
        self.norm = nn.LayerNorm(width)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Map shape ``(samples, tokens, width)`` to the same shape."""
        split = (len(tokens), tokens.shape[1], N_HEADS, -1)
        query, key, value = (
            part(tokens).reshape(split).transpose(1, 2) for part in (self.query, self.key, self.value)
        )
        seen = scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(start_dim=2)
        return self.norm(tokens + self.output(seen))


class SampleAttention(nn.Module):
    """The published attention: a sample's features are the only token of a sequence."""

    def __init__(self, n_features: int) -> None:
        super().__init__()
        self.attention = SelfAttention(n_features)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Map shape ``(samples, features)`` to the same shape."""
        return self.attention(features[:, None])[:, 0]


class FeatureAttention(nn.Module):
    """Attention between the features of a sample.

    Each feature becomes a token by its own weight and bias (Gorishniy et al., "Revisiting Deep Learning
    Models for Tabular Data", 2021, section 3.3) and a number again by a linear map.
    """

    def __init__(self, n_features: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_features, TOKEN_WIDTH))
        self.bias = nn.Parameter(torch.empty(n_features, TOKEN_WIDTH))
        self.attention = SelfAttention(TOKEN_WIDTH)
        self.number = nn.Linear(TOKEN_WIDTH, 1)
        for parameter in (self.weight, self.bias):
            nn.init.uniform_(parameter, -(TOKEN_WIDTH**-0.5), TOKEN_WIDTH**-0.5)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Map shape ``(samples, features)`` to the same shape."""
        tokens = features[:, :, None] * self.weight + self.bias
        return features + self.number(self.attention(tokens))[:, :, 0]


class MCVN(nn.Module):
    """The network with one or both branches, in double precision as published.

    Parameters
    ----------
    n_original
        Number of original features; 0 omits their branch.
    with_image
        Whether there is a branch for the composition image.
    n_outputs
        1 for a number, else the number of classes.
    variant, attention
        See `polyfacet.training.engines.mcvn.settings.MCVNSettings`.
    """

    def __init__(
        self, n_original: int, with_image: bool, n_outputs: int, variant: Variant, attention: Attention
    ) -> None:
        super().__init__()
        kind = SampleAttention if variant == "published" else FeatureAttention
        fused = ORIGINAL_WIDTH * bool(n_original) + IMAGE_WIDTH * with_image
        self.original = (
            nn.Sequential(
                kind(n_original) if attention in ("both", "original") else nn.Identity(),
                nn.Linear(n_original, ORIGINAL_WIDTH),
                nn.ReLU(),
            )
            if n_original
            else None
        )
        self.image = _image_branch(variant) if with_image else None
        self.head = nn.Sequential(
            kind(fused) if attention in ("both", "fusion") else nn.Identity(),
            nn.BatchNorm1d(fused),
            nn.Linear(fused, 8),
            nn.ReLU(),
            nn.Linear(8, 4),
            nn.ReLU(),
            nn.Linear(4, n_outputs),
        )
        self.apply(_initialise)
        self.double()

    def forward(self, original: torch.Tensor | None, images: torch.Tensor | None) -> torch.Tensor:
        """Predict.

        Parameters
        ----------
        original
            Original features, shape ``(samples, n_original)``.
        images
            Composition images, shape ``(samples, 24, 21)``.

        Returns
        -------
        torch.Tensor
            Shape ``(samples, n_outputs)``.
        """
        parts = []
        if self.original is not None:
            parts.append(self.original(original))
        if self.image is not None and images is not None:
            parts.append(self.image(images[:, None]))
        return self.head(torch.cat(parts, dim=1))


def _image_branch(variant: Variant) -> nn.Sequential:
    between = nn.Identity if variant == "published" else nn.ReLU
    return nn.Sequential(
        nn.Conv2d(1, 3, kernel_size=3, stride=3),
        between(),
        nn.Conv2d(3, 8, kernel_size=3),
        between(),
        nn.Conv2d(8, 4, kernel_size=3),
        between(),
        nn.Conv2d(4, 1, kernel_size=2),
        nn.Flatten(),
        nn.Linear(6, IMAGE_WIDTH),
        nn.ReLU(),
    )


def _initialise(module: nn.Module) -> None:
    """Draw the weights as published: Xavier for linear maps, Kaiming for convolutions."""
    if isinstance(module, nn.Linear):
        nn.init.xavier_normal_(module.weight)
        nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
