"""Explanations of predictions, and the checks without which none is shown."""
