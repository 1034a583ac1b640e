"""Facets that are columns of a table as they are."""
