"""Settings of AutoGluon-Multimodal."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from polyfacet.training.engines.base import Settings


class Range(Settings):
    """Numbers to draw from; whole ones if both ends are."""

    low: int | float = Field(
        description="The smallest; 1.0 instead of 1 if numbers between whole ones are meant.",
        examples=[0.0001],
    )
    high: int | float = Field(description="The largest.", examples=[0.01])
    log: bool = Field(default=False, description="Whether to draw logarithms evenly.")

    @property
    def is_whole(self) -> bool:
        """Whether whole numbers are drawn."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    @model_validator(mode="after")
    def _check_ends(self) -> Self:
        if self.low >= self.high or (self.log and self.low <= 0):
            raise ValueError("low should be less than high, and above 0 with log: true")
        return self


class Search(Settings):
    """Hyperparameters to try out."""

    space: dict[str, Range | Annotated[list[Any], Field(min_length=1)]] = Field(
        min_length=1,
        description="AutoGluon's name of each hyperparameter, with a list of candidates or a range "
        "`{low, high, log}`. Between two whole ends, whole numbers are drawn: 0.0 to 1.0 is not 0 to 1.",
        examples=[{"optim.lr": {"low": 0.0001, "high": 0.01, "log": True}, "env.batch_size": [16, 32]}],
    )
    trials: int = Field(
        default=8,
        ge=2,
        description="Number of trainings; the first one has the method's own settings.",
    )
    seconds: float | None = Field(
        default=None, gt=0, description="No trial starts after so many seconds; `null` for no limit."
    )

    @model_validator(mode="after")
    def _keep_encoders(self) -> Self:
        if encoders := [name for name in self.space if name.endswith("checkpoint_name")]:
            raise ValueError(
                f"should not try out encoders ({', '.join(encoders)}), which are fetched beforehand: compare "
                "methods with different ones instead"
            )
        return self


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
    schedule: Literal["adaptive", "autogluon"] = Field(
        default="adaptive",
        description="`adaptive`: the learning rate stays at its peak until validation stops improving, then "
        "falls to 0, and training ends; `autogluon`: AutoGluon's `optim.lr_schedule` over all epochs, and "
        "training ends when validation stops improving, whatever the learning rate.",
    )
    patience: int | None = Field(
        default=None,
        ge=1,
        description="Number of validations without improvement after which validation has stopped improving; "
        "`null` keeps the engine's default.",
    )
    time_limit_s: float | None = Field(
        default=None,
        gt=0,
        description="Seconds that the training of a cell may take, without its predictions; `null` for no "
        "limit. With a limit, results depend on the machine.",
    )
    loss: Literal["absolute", "squared"] = Field(
        default="absolute",
        description="Error of numbers that training minimizes: `absolute`, with MAE to choose epochs and "
        "checkpoints, or `squared`, with RMSE, as AutoGluon does by itself.",
    )
    augment_pictures: bool = Field(
        default=True,
        description="Whether structure pictures are randomly flipped in training (colours never change).",
    )
    hyperparameters: dict[str, Any] = Field(
        default={},
        description="Further hyperparameters, under AutoGluon's own names; they override the keys above.",
    )
    search: Search | None = Field(
        default=None,
        description="Hyperparameters to try out; the model with the best validation score is kept. `null` "
        "tries none.",
    )
