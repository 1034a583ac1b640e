"""Declaration of the ensemble, without importing it."""

from polyfacet.runtime.resources import Cost
from polyfacet.training.engines.declaration import EngineDeclaration
from polyfacet.training.engines.ensemble.settings import EnsembleSettings, members_of


def fault_of_member(member: EngineDeclaration) -> str:
    """Return why an engine cannot be in an ensemble; empty if it can."""
    if member.encoders:
        return "starts from encoders"
    if member.foundation:
        return "needs a foundation"
    if not member.probabilities:
        return "has no probabilities"
    return ""


ENSEMBLE = EngineDeclaration(
    "ensemble",
    EnsembleSettings,
    "polyfacet.training.engines.ensemble.engine:Ensemble",
    looks_at=lambda facet: facet.has_numbers,
    classes=True,
    cost=Cost(mb=1_150, mb_per_1000=50, minutes_per_1000=2.5),
    probabilities=True,
    cheap=True,
    members=members_of,
    fault_of_member=fault_of_member,
)
