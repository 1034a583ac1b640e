"""Bundles: all that predictions with a trained cell need, in one folder that can be moved."""
