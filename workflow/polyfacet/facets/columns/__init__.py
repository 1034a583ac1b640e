"""Facets that are unchanged columns of a table."""
