"""The embedding of the crystal graph as a facet."""

from polyfacet.facets.declaration import Facet, Stage
from polyfacet.materials.stage_tables import EMBEDDINGS

GRAPH = Facet(
    "graph",
    "graph embedding",
    "vector",
    needs="structure",
    stage=Stage("embeddings", EMBEDDINGS, "embedding", of_split=True, rejects="graphs"),
)
