"""From facets and splits to trained cells and their cards."""
