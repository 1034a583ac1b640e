"""Settings of the attention engine."""

from typing import Literal

from pydantic import Field

from polyfacet.training.engines.base import Settings

ElementVectors = Literal["matscholar", "learned"]


class AttentionSettings(Settings):
    """The network and its training."""

    element_vectors: ElementVectors = Field(
        default="matscholar",
        description="What the network knows of an element at first: `matscholar`, 200 numbers learned from "
        "abstracts of the materials literature; `learned`, nothing.",
    )
    width: int = Field(
        default=128, ge=8, multiple_of=4, description="Width of the vector of an element in a formula."
    )
    layers: int = Field(default=3, ge=1, description="Number of attention layers, with four heads each.")
    dropout: float = Field(default=0.1, ge=0, lt=1, description="Dropout rate of the attention layers.")
    epochs: int = Field(
        default=60,
        ge=1,
        description="Number of epochs; the learning rate rises for a tenth of them, then falls to 0.",
    )
    batch_size: int = Field(default=128, ge=1, description="Rows per step.")
    learning_rate: float = Field(default=1e-3, gt=0, description="Highest learning rate (AdamW).")
    weight_decay: float = Field(default=0.01, ge=0, description="Weight decay.")
    networks: int = Field(
        default=1, ge=1, description="Networks with different seeds, whose predictions are averaged."
    )
