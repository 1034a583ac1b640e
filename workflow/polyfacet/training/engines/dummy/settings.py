"""Settings of predictors that use no facets."""

from typing import Literal

from pydantic import Field

from polyfacet.training.engines.base import Settings

Statistic = Literal["mean", "median"]


class DummySettings(Settings):
    """The statistic predicted for numbers; for classes, it is the majority class."""

    statistic: Statistic = Field(
        default="mean",
        description="Statistic predicted for numbers; for classes, it is the most frequent class.",
    )
