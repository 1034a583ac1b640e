"""Classical models on the facets that are numbers, as an engine."""
