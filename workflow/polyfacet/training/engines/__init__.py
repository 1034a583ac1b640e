"""Engines. A new engine is one file here, one entry in ``registry`` and one in a configuration."""
