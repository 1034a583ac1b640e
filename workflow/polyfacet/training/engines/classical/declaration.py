"""Declaration of the classical engine, without importing its libraries."""

from polyfacet.runtime.resources import Cost
from polyfacet.training.engines.classical.settings import ClassicalSettings
from polyfacet.training.engines.declaration import EngineDeclaration

CLASSICAL = EngineDeclaration(
    "classical",
    ClassicalSettings,
    "polyfacet.training.engines.classical.engine:Classical",
    looks_at=lambda facet: facet.has_numbers,
    classes=True,
    cost=Cost(mb=1_150, mb_per_1000=50, minutes_per_1000=0.3),
    probabilities=True,
    cheap=True,
    reads_encoding=lambda facet, settings: True,
    needs_statistics=lambda settings: settings.get("features", "original") != "original",
)
