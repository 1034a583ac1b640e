"""Settings of the TabICL engine."""

from typing import Literal

from pydantic import Field

from polyfacet.training.engines.base import Settings


class TabiclSettings(Settings):
    """The checkpoints, and how they are asked."""

    checkpoint: str | None = Field(
        default=None,
        description="File with TabICL's pretrained weights for numbers, such as "
        "`tabicl-regressor-v2-20260212.ckpt`; nothing is downloaded. `null` for both checkpoints: the method "
        "is skipped.",
    )
    class_checkpoint: str | None = Field(
        default=None, description="The same for classes, such as `tabicl-classifier-v2-20260212.ckpt`."
    )
    statistic: Literal["mean", "median"] = Field(
        default="median",
        description="What is predicted for numbers: the median has the smaller absolute error where values "
        "are skewed.",
    )
    n_estimators: int = Field(
        default=8,
        ge=1,
        description="Views of the table (orders and scales of its columns), whose predictions are averaged.",
    )

    @property
    def checkpoints(self) -> list[str]:
        """The files that are named."""
        return [file for file in (self.checkpoint, self.class_checkpoint) if file is not None]
