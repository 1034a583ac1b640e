"""Settings of MCVN."""

from typing import Literal

from pydantic import Field

from polyfacet.training.engines.base import Settings


class MCVNSettings(Settings):
    """The network and its training."""

    variant: Literal["published", "fixed"] = Field(
        default="published",
        description="`published` is the network of the published code, `fixed` has activations between "
        "convolutions and attention between features.",
    )
    attention: Literal["both", "original", "fusion", "none"] = Field(
        default="both",
        description="Attentions in the network: that of the `original` features and that after the `fusion`.",
    )
    max_epochs: int = Field(default=1000, ge=1, description="Maximum number of epochs.")
    batch_size: int = Field(
        default=32, ge=2, description="Minimum rows per step; a step has fewer than twice as many."
    )
    learning_rate: float = Field(
        default=1e-3,
        gt=0,
        description="Initial learning rate (Adam); it falls by a tenth every 500 steps.",
    )
    patience: int = Field(
        default=100,
        ge=1,
        description="Epochs without a lower validation loss after which training stops.",
    )
    scaling: Literal["standard", "none"] = Field(
        default="standard",
        description="`standard` scales original features and answers to mean 0 and deviation 1 on the "
        "training rows; `none` keeps them unchanged, as in the example of the published code.",
    )
    grey_values: Literal["unit", "byte"] = Field(
        default="unit",
        description="`unit` divides grey values by 255; `byte` keeps them unchanged, 0 to 255, as in the "
        "published code.",
    )
