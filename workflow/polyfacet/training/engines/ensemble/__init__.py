"""Average of several engines, as an engine."""
