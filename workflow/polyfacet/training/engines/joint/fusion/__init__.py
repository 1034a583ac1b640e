"""Fusions: from the tokens of the facets that a row shows to one representation."""
