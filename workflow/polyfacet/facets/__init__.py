"""Facets: the ways to look at a material."""
