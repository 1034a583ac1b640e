"""Frozen encodings: facets of texts and pictures as numbers, for engines without encoders of their own."""
