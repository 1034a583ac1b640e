"""Declaration of MCVN, without importing it."""

from polyfacet.facets.registry import COMPIMAGE
from polyfacet.runtime.resources import Cost
from polyfacet.training.engines.declaration import EngineDeclaration
from polyfacet.training.engines.mcvn.settings import MCVNSettings

MCVN = EngineDeclaration(
    "mcvn",
    MCVNSettings,
    "polyfacet.training.engines.mcvn.engine:MCVNEngine",
    looks_at=lambda facet: facet.kind == "vector" or facet == COMPIMAGE,
    classes=True,
    cost=Cost(mb=800, mb_per_1000=50, minutes_per_1000=0.015),
    probabilities=True,
    cheap=True,
)
