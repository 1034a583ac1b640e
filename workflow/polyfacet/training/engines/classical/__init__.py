"""Classical models on numeric facets, as an engine."""
