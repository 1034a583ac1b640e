"""Predictions for new materials with the bundle of a trained cell."""
