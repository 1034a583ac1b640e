"""A network that attends to the elements of a formula, as an engine."""
