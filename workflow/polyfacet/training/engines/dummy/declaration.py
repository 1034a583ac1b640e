"""Declaration of the dummy engine, without importing it."""

from polyfacet.runtime.resources import Cost
from polyfacet.training.engines.declaration import EngineDeclaration
from polyfacet.training.engines.dummy.settings import DummySettings

DUMMY = EngineDeclaration(
    "dummy",
    DummySettings,
    "polyfacet.training.engines.dummy.engine:Dummy",
    looks_at=lambda facet: False,
    classes=True,
    cost=Cost(mb=250, mb_per_1000=5, minutes_per_1000=0.05),
    is_baseline=True,
    cheap=True,
)
