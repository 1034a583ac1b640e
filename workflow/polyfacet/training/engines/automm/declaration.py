"""Declaration of the AutoGluon-Multimodal engine, without importing AutoGluon, which takes ten seconds."""

from collections.abc import Sequence

from polyfacet.facets.declaration import Facet
from polyfacet.runtime.resources import Cost
from polyfacet.training.engines.automm.settings import AutoMMSettings
from polyfacet.training.engines.declaration import EngineDeclaration


def gains_by_gpu(facets: Sequence[Facet], from_hub: bool) -> bool:
    """Return whether a cell trains an encoder that is slow without a GPU; local text encoders are small."""
    slow = {"image", "text"} if from_hub else {"image"}
    return any(facet.kind in slow for facet in facets)


AUTOMM = EngineDeclaration(
    "automm",
    AutoMMSettings,
    "polyfacet.training.engines.automm.engine:AutoMM",
    looks_at=lambda facet: True,
    classes=True,
    cost=Cost(mb=1_500, mb_per_1000=10, minutes_per_1000=0.5),
    # Not measured: the hub's encoders have a hundred times as many weights as the local ones.
    cost_from_hub=Cost(mb=12_000, mb_per_1000=10, minutes=30, minutes_per_1000=60),
    probabilities=True,
    encoders=True,
    gains_by_gpu=gains_by_gpu,
)
