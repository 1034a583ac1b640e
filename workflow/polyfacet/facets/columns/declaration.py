"""Columns of a table as facets: amounts of the elements, and process conditions."""

from polyfacet.facets.declaration import OF_FORMULAS, Facet

COMPOSITION = Facet("composition", "amounts of the elements", "vector", needs="columns", shows=OF_FORMULAS)
PROCESS = Facet("process", "process conditions", "vector", needs="columns")
