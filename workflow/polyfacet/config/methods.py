"""The methods to train, and what their results are compared with."""

from typing import Annotated, Literal

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints

from polyfacet.config.section import EngineSettings, Name, Section, Text, each_once
from polyfacet.config.splits import MAX_REPEATS

_FACET = r"[a-z][a-z0-9]*(:[a-z0-9_]+)?"
Combination = Annotated[str, StringConstraints(pattern=rf"^{_FACET}(\+{_FACET})*$")]
Combinations = Annotated[list[Combination], Field(min_length=1), AfterValidator(each_once)]
CombinationSet = Literal["paper", "full"]
Leaks = Literal["refuse", "allow"]
Metric = Literal["mae", "mase", "rmse", "r2", "accuracy", "macro_f1", "precision", "recall", "f1"]


class Method(Section):
    """An engine with its settings, and the combinations of facets on which it is trained."""

    engine: Name | None = Field(
        default=None, description="Name of the engine; `null` uses the name of the method."
    )
    settings: EngineSettings = Field(
        default={}, description="Settings of the engine; docs/configuration.md lists them."
    )
    combinations: CombinationSet | Combinations | dict[Name, CombinationSet | Combinations] | None = Field(
        default=None,
        description="Combinations that it is trained on: in the form of the key `combinations`, or "
        "`{<source>: ...}`; `null` uses that key for crystals, and all columns of numbers "
        "(`composition+process`) for tables.",
    )
    sources: Annotated[list[Name], AfterValidator(each_once)] = Field(
        default=[], description="Sources that it is trained on: `crystals` or names of tables; empty for all."
    )
    settings_of_sources: dict[Name, EngineSettings] = Field(
        default={}, description="Settings that override `settings` for one source: `{<source>: {...}}`."
    )
    repeats: int | None = Field(
        default=None,
        ge=1,
        le=MAX_REPEATS,
        description="Number of the first repeats of each split on which it is trained, for slow methods; "
        "`null` for all. Only methods with all repeats are candidates of the statistical tests; the scores "
        "of others are shown beside them.",
    )


class Training(Section):
    """How cells are trained."""

    threads: int = Field(default=1, ge=1, description="Processor threads per job; cells run in parallel.")
    keep_models: bool = Field(
        default=True,
        description="Whether trained models are kept; otherwise cells keep only predictions and cards.",
    )
    leaks: Leaks = Field(
        default="refuse",
        description="What happens if a number of a facet is the objective itself, possibly in another unit, "
        "or ranks the materials as the objective does: `refuse` fails the cell; `allow` trains it, for "
        "numbers that are known before the objective is.",
    )


class PublishedScore(Section):
    """A published score."""

    model_config = ConfigDict(serialize_by_alias=True)

    source: Name = Field(description="`crystals`, or the name of a table.", examples=["crystals"])
    method: Name = Field(description="The method to show it with.", examples=["automm"])
    combination: Combination | None = Field(
        default=None, description="The combination; `null` if the method has only one."
    )
    objective: Name | None = Field(default=None, description="The objective; `null` for all of them.")
    class_: Text | None = Field(
        default=None, alias="class", description="The class; `null` for regression and for all classes."
    )
    metric: Metric = Field(description="The metric of the score.", examples=["r2"])
    value: float | Annotated[list[float], Field(min_length=2, max_length=2)] = Field(
        description="A number, or a range.", examples=[0.95]
    )
    published_in: Text = Field(description="Where it was published.", examples=["Yu, Wu and Qian"])
    split: Name | None = Field(default=None, description="Name of the split; `null` for any random split.")
    differs: list[Text] | None = Field(
        default=None,
        description="How the published settings differ from these. The report states a verdict only for "
        "`[]`, no difference; `null` declares nothing.",
    )


class Report(Section):
    """Comparisons in the report."""

    reference: Name | None = Field(
        default=None, description="Method that the others are compared with; `null` for none."
    )
    published: list[PublishedScore] = Field(
        default=[], description="Published scores to show next to the results."
    )
