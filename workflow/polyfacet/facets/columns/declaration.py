"""Columns of a table as facets: amounts of the elements, and process conditions."""

from polyfacet.facets.declaration import Facet

COMPOSITION = Facet("composition", "amounts of the elements", "vector", needs="columns")
PROCESS = Facet("process", "process conditions", "vector", needs="columns")
