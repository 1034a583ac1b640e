"""Settings of MCVN."""

from typing import Literal

from pydantic import Field

from polyfacet.training.engines.base import Settings


class MCVNSettings(Settings):
    """Which network, and how it is trained."""

    variant: Literal["published", "fixed"] = Field(
        default="published",
        description="`published` is the network as its code has it, `fixed` has activations between "
        "convolutions and attention between features.",
    )
    attention: Literal["both", "original", "fusion", "none"] = Field(
        default="both",
        description="Which attentions the network has, that of the `original` features and that after the "
        "`fusion`.",
    )
    max_epochs: int = Field(default=1000, ge=1, description="Epochs at most.")
    batch_size: int = Field(default=32, ge=2, description="Rows per step, at least; less than twice as many.")
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
        description="`standard` brings original features and answers to mean 0 and deviation 1 on the "
        "training rows; `none` takes them as they are, as the example of the published code does.",
    )
    grey_values: Literal["unit", "byte"] = Field(
        default="unit",
        description="`unit` divides grey values by 255; `byte` takes them as they are, 0 to 255, as the "
        "published code does.",
    )
