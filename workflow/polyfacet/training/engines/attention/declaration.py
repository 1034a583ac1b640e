"""Declaration of the attention engine, without importing its libraries."""

from polyfacet.facets.declaration import OF_FORMULAS
from polyfacet.facets.registry import TEXT
from polyfacet.runtime.resources import Cost
from polyfacet.training.engines.attention.settings import AttentionSettings
from polyfacet.training.engines.declaration import EngineDeclaration

ATTENTION = EngineDeclaration(
    "attention",
    AttentionSettings,
    "polyfacet.training.engines.attention.engine:Attention",
    looks_at=lambda facet: facet.base == TEXT.name and facet.shown_as(facet.form) <= OF_FORMULAS,
    classes=True,
    cost=Cost(mb=900, mb_per_1000=20, minutes_per_1000=0.02),
    probabilities=True,
    cheap=True,
)
