"""Predictors that use no facets, as an engine."""
