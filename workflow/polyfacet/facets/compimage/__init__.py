"""Facets that know a material's composition only: the composition text and the composition image."""
