"""Settings of AutoGluon-Multimodal."""

from typing import Any, Literal

from pydantic import Field

from polyfacet.training.engines.base import Settings


class AutoMMSettings(Settings):
    """Settings for AutoGluon; None keeps the preset's value, or one that suits local encoders."""

    preset: Literal["medium_quality", "high_quality", "best_quality"] = Field(
        default="medium_quality",
        description="AutoGluon's preset; it determines the encoders when they come from the hub.",
    )
    tabular_model: Literal["numerical_mlp", "ft_transformer"] = Field(
        default="numerical_mlp", description="Model of the vector facets."
    )
    max_epochs: int | None = Field(
        default=None, ge=1, description="Maximum number of epochs; `null` keeps the engine's default."
    )
    batch_size: int | None = Field(
        default=None, ge=1, description="Rows per step; `null` keeps the engine's default."
    )
    learning_rate: float | None = Field(
        default=None, gt=0, description="Peak learning rate; `null` keeps the engine's default."
    )
    patience: int | None = Field(
        default=None,
        ge=1,
        description="Validations without improvement after which training stops; `null` keeps the engine's "
        "default.",
    )
    augment_pictures: bool = Field(
        default=True,
        description="Whether structure pictures are randomly flipped in training (colours never change).",
    )
    hyperparameters: dict[str, Any] = Field(
        default={},
        description="Further hyperparameters, under AutoGluon's own names; they override the keys above.",
    )
