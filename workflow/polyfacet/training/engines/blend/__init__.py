"""Weighted averages of the predictions of other methods, as an engine."""
