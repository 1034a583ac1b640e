"""From raw entries to a seeded sample of checked materials."""
