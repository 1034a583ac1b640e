"""Settings of the engine."""

from typing import Literal

from pydantic import Field, PositiveFloat, PositiveInt

from polyfacet.training.engines.base import Settings


class MCVNSettings(Settings):
    """Which network, and how it is trained."""

    # ``published`` is the network as its code has it, ``fixed`` the one that its description means; see
    # `polyfacet.training.engines.mcvn.network`.
    variant: Literal["published", "fixed"] = "published"
    # Which of the two attentions the network has: that of the original branch, that after the fusion.
    attention: Literal["both", "original", "fusion", "none"] = "both"
    max_epochs: PositiveInt = 1000
    # At least; batches are less than twice as large.
    batch_size: int = Field(default=32, ge=2)
    learning_rate: PositiveFloat = 1e-3
    # Epochs without a lower validation loss after which training stops.
    patience: PositiveInt = 100
    # ``standard`` brings original features and answers to mean 0 and deviation 1 on the training rows;
    # ``none`` takes them as they are, as the example of the published code does.
    scaling: Literal["standard", "none"] = "standard"
    # ``unit`` divides grey values by 255; ``byte`` takes them as they are, as the published code does.
    grey_values: Literal["unit", "byte"] = "unit"
