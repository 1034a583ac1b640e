"""Settings of blends."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from polyfacet.config.section import EngineSettings, Name
from polyfacet.facets.declaration import Facet
from polyfacet.facets.registry import facets_of
from polyfacet.training.engines.base import Settings

Of = Literal["facets", "subsets"]
Weights = Literal["equal", "validation"]


class BlendMember(Settings):
    """A method of the run, as resolved from its name, or given in Python."""

    method: Name = Field(description="Name of the method.", examples=["ridge"])
    engine: Name = Field(description="Its engine.", examples=["classical"])
    settings: EngineSettings = Field(default={}, description="Its settings.")
    combinations: tuple[str, ...] = Field(
        min_length=1, description="Combinations of facets that it is trained on.", examples=[["text"]]
    )


class BlendSettings(Settings):
    """Which predictions are averaged, and with what weights."""

    members: tuple[Name | BlendMember, ...] = Field(
        min_length=1,
        description="Names of other methods of the run, whose cells are averaged.",
        examples=[["ridge", "extra_trees"]],
    )
    of: Of = Field(
        default="subsets",
        description="`facets`: for each facet of the combination alone, the member that is best on "
        "validation rows (late fusion; facets that members only look at together count as one); `subsets`: "
        "all cells of the members on facets of the combination, the whole combination included (stacking).",
    )
    weights: Weights = Field(
        default="validation",
        description="`equal`, or `validation`: weights that are not negative, add up to 1, and are fitted on "
        "the validation rows.",
    )

    @property
    def chooses(self) -> bool:
        """Whether validation rows choose members or weights."""
        return self.of == "facets" or self.weights == "validation"


def members_of(settings: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """List the engines and their settings in the settings of a blend; unresolved names have none."""
    return [(member["engine"], member.get("settings", {})) for member in _resolved(settings)]


def members_on(facet: Facet, settings: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """List those of them that are trained on a facet."""
    return [
        (member["engine"], member.get("settings", {}))
        for member in _resolved(settings)
        if any(facet in facets_of(combination) for combination in member["combinations"])
    ]


def _resolved(settings: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [each for each in settings.get("members", ()) if isinstance(each, Mapping)]
