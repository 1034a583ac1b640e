"""The powder pattern of a crystal as a facet."""

from polyfacet.facets.declaration import Facet

XRD = Facet(
    "xrd",
    "powder pattern",
    "vector",
    needs="structure",
    make="polyfacet.facets.xrd.pattern:powder_pattern",
)
