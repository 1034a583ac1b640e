"""Scores of trained cells."""
