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
SplitPart = Literal["train", "valid", "test"]
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
        "(such as `composition+process`) for tables.",
    )
    sources: Annotated[list[Name], AfterValidator(each_once)] = Field(
        default=[], description="Sources that it is trained on: `crystals` or names of tables; empty for all."
    )
    objectives: Annotated[int, Field(ge=1)] | Annotated[list[Name], AfterValidator(each_once)] = Field(
        default=[],
        description="Objectives that it is trained on: their names, or the number of the first ones of each "
        "source, for slow methods; empty for all. Means over objectives are of methods with all of them.",
    )
    settings_of_sources: dict[Name, EngineSettings] = Field(
        default={}, description="Settings that override `settings` for one source: `{<source>: {...}}`."
    )
    settings_of_objectives: dict[Name, EngineSettings] = Field(
        default={},
        description="Settings that override those of the source for one objective: `{<objective>: {...}}`.",
    )
    repeats: int | None = Field(
        default=None,
        ge=1,
        le=MAX_REPEATS,
        description="Number of the first repeats of each split on which it is trained, for slow methods; "
        "`null` for all. Only methods with all repeats are candidates of the statistical tests; the scores "
        "of others are shown beside them.",
    )


class Missing(Section):
    """Facets that are hidden at random, to measure what methods lose where facets are missing."""

    share: float = Field(
        default=0.0, ge=0, lt=1, description="Probability with which a facet of a material is hidden."
    )
    parts: Annotated[list[SplitPart], Field(min_length=1), AfterValidator(each_once)] = Field(
        default=["train", "valid", "test"], description="Parts of the splits in which facets are hidden."
    )
    facets: Annotated[list[Name], AfterValidator(each_once)] = Field(
        default=[],
        description="Facets that may be hidden, without forms; empty for all that the methods of a source "
        "look at, one of which each material keeps.",
    )
    seed: int | None = Field(default=None, ge=0, description="Seed of the choice; `null` uses `seed`.")


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
        "or ranks the materials as the objective does, and no dagger marks the cell: `refuse` fails it; "
        "`allow` trains it, for numbers that are known before the objective is.",
    )
    missing: Missing = Field(
        default=Missing(),
        description="Facets that are hidden at random, for experiments with missing facets: no method sees "
        "them, and nothing is fitted on them. Engines that need all facets leave these materials out.",
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
