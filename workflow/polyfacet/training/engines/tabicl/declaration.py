"""Declaration of the TabICL engine, without importing its libraries."""

from collections.abc import Mapping, Sequence
from typing import Any

from polyfacet.runtime.optional_packages import OptionalPackage
from polyfacet.runtime.resources import Cost
from polyfacet.training.engines.declaration import EngineDeclaration
from polyfacet.training.engines.tabicl.settings import TabiclSettings


def files_of(settings: Mapping[str, Any]) -> Sequence[str]:
    """Return the checkpoints that settings name."""
    return TabiclSettings(**settings).checkpoints


def why_skipped(settings: Mapping[str, Any]) -> str:
    """Say why a method is skipped: it has no checkpoint."""
    if files_of(settings):
        return ""
    return "no checkpoint (to train it, name the file with the pretrained weights: settings.checkpoint)"


TABICL = EngineDeclaration(
    "tabicl",
    TabiclSettings,
    "polyfacet.training.engines.tabicl.engine:TabiclEngine",
    looks_at=lambda facet: facet.has_numbers,
    classes=True,
    probabilities=True,
    reads_encoding=lambda facet, settings: True,
    foundation=True,
    # Of a published checkpoint, estimated from its size: 27 million weights.
    cost=Cost(mb=2_500, mb_per_1000=1_000, minutes_per_1000=10),
    gains_by_gpu=lambda facets, from_hub: True,
    package=OptionalPackage("tabicl", "2.2.0"),
    files=files_of,
    why_skipped=why_skipped,
)
