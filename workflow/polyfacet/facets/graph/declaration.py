"""The embedding of the crystal graph as a facet."""

from types import MappingProxyType

from polyfacet.facets.declaration import OF_STRUCTURES, Facet, PretrainedNetwork, Stage
from polyfacet.materials.stage_tables import EMBEDDINGS
from polyfacet.runtime.optional_packages import OptionalPackage

CHGNET = PretrainedNetwork(
    "polyfacet.facets.graph.chgnet_embedding:chgnet_embedding",
    package=OptionalPackage("chgnet", "0.4.2"),
    label="CHGNet 0.3.0",
    materials="energies, forces, stresses and magnetic moments of the Materials Project (MPtrj)",
    # Formation energy and energy above the hull are differences of energies.
    learned=frozenset({"e_form", "e_hull", "e_total", "mag_vol"}),
)
GRAPH = Facet(
    "graph",
    "graph embedding",
    "vector",
    needs="structure",
    variants=MappingProxyType({"chgnet": OF_STRUCTURES}),
    stage=Stage("embeddings", EMBEDDINGS, "embedding", of_split=True, rejects="graphs"),
    pretrained=MappingProxyType({"chgnet": CHGNET}),
)
