"""Polyfacet: which facets of a crystal predict which property.

Every module knows one subject; the scripts in ``workflow/scripts`` put them together, one script per rule.
"""
