"""Declaration of blends, without importing their engine."""

from polyfacet.runtime.resources import Cost
from polyfacet.training.engines.blend.settings import BlendSettings, members_of, members_on
from polyfacet.training.engines.declaration import EngineDeclaration


def fault_of_member(member: EngineDeclaration) -> str:
    """Return why an engine cannot be a member of a blend; empty if it can."""
    if member.blends:
        return "is a blend itself"
    if member.is_baseline:
        return "uses no facets"
    return ""


BLEND = EngineDeclaration(
    "blend",
    BlendSettings,
    "polyfacet.training.engines.blend.engine:Blend",
    looks_at=lambda facet: True,
    classes=True,
    cost=Cost(mb=1_150, mb_per_1000=50, minutes_per_1000=0.1),
    probabilities=True,
    cheap=True,
    blends=True,
    members=members_of,
    members_on=members_on,
    fault_of_member=fault_of_member,
)
