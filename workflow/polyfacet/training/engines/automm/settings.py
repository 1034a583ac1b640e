"""Settings of AutoGluon-Multimodal."""

from typing import Any, Literal

from pydantic import Field

from polyfacet.training.engines.base import Settings


class AutoMMSettings(Settings):
    """What AutoGluon is told; None leaves what the preset says, or what suits local encoders."""

    preset: Literal["medium_quality", "high_quality", "best_quality"] = Field(
        default="medium_quality",
        description="AutoGluon's preset; it decides the encoders when they come from the hub.",
    )
    tabular_model: Literal["numerical_mlp", "ft_transformer"] = Field(
        default="numerical_mlp", description="Model of the facets that are vectors."
    )
    max_epochs: int | None = Field(
        default=None, ge=1, description="Epochs at most; `null` leaves the engine's default."
    )
    batch_size: int | None = Field(
        default=None, ge=1, description="Rows per step; `null` leaves the engine's default."
    )
    learning_rate: float | None = Field(
        default=None, gt=0, description="Peak learning rate; `null` leaves the engine's default."
    )
    patience: int | None = Field(
        default=None,
        ge=1,
        description="Validations without gain after which training stops; `null` leaves the engine's "
        "default.",
    )
    augment_pictures: bool = Field(
        default=True,
        description="Whether structure pictures are flipped at random in training (colours never change).",
    )
    hyperparameters: dict[str, Any] = Field(
        default={},
        description="Anything else that AutoGluon can be told, by its own names; overrides the keys above.",
    )
