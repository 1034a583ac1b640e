"""Predictors that look at no facet, as an engine."""
