"""One network for all facets, all their subsets and all objectives, as an engine."""
