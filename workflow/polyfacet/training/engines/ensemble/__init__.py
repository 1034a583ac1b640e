"""Several engines that answer together, as an engine."""
