"""Settings of predictors that look at no facet."""

from typing import Literal

from pydantic import Field

from polyfacet.training.engines.base import Settings

Statistic = Literal["mean", "median"]


class DummySettings(Settings):
    """Which statistic is answered where numbers are predicted; classes get that of the majority."""

    statistic: Statistic = Field(
        default="mean",
        description="What is answered where numbers are predicted; where classes are, it is the most "
        "frequent one.",
    )
