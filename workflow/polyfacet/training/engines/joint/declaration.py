"""Declaration of the joint engine, without importing its libraries."""

from polyfacet.runtime.resources import Cost
from polyfacet.training.engines.declaration import EngineDeclaration
from polyfacet.training.engines.joint.contrast.settings import pretraining_of
from polyfacet.training.engines.joint.settings import (
    HEAD_SETTINGS,
    JointSettings,
    explained_facets,
    further_epochs,
)

JOINT = EngineDeclaration(
    "joint",
    JointSettings,
    "polyfacet.training.engines.joint.engine:Joint",
    looks_at=lambda facet: facet.has_numbers,
    classes=True,
    probabilities=True,
    reads_encoding=lambda facet, settings: facet.name not in explained_facets(settings),
    foundation=True,
    foundation_learns=True,
    further_epochs=further_epochs,
    head_settings=HEAD_SETTINGS,
    missing=True,
    represents=lambda settings: pretraining_of(settings).is_asked_for,
    explains=explained_facets,
    explained_by="polyfacet.training.engines.joint.explanation.explained:explained",
    needs_graphs=lambda settings: settings.get("graphs") == "network",
    cheap=True,
    cost=Cost(mb=1_150, mb_per_1000=50, minutes_per_1000=0.3),
    # Rows are streamed; a step of 256 crystals takes the most.  Threads beyond the first are processes with a
    # network of their own.
    foundation_cost=Cost(mb=3_000, mb_per_1000=2, minutes_per_1000=0.03, mb_per_thread=1_000),
)
