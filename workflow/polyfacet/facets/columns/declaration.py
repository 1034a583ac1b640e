"""Columns of a table as facets: amounts of the elements, process conditions, measured microstructure."""

from polyfacet.facets.declaration import OF_FORMULAS, Facet

COMPOSITION = Facet("composition", "amounts of the elements", "vector", needs="columns", shows=OF_FORMULAS)
PROCESS = Facet("process", "process conditions", "vector", needs="columns")
MICROSTRUCTURE = Facet("microstructure", "measured microstructure", "vector", needs="columns")
