"""Engines, the ways to learn: a new one is one file here, one entry in ``registry`` and one in a config."""
