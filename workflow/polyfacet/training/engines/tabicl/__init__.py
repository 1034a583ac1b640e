"""TabICL, a tabular foundation model, on numeric facets, as an engine."""
