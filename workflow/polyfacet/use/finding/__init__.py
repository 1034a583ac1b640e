"""Find materials of a run by a facet or a property."""
