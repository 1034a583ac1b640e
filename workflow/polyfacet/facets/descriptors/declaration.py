"""The descriptors of a crystal as a facet."""

from polyfacet.facets.declaration import Facet

DESCRIPTORS = Facet(
    "descriptors",
    "crystal descriptors",
    "vector",
    needs="structure",
    make="polyfacet.facets.descriptors.vector:descriptors",
)
