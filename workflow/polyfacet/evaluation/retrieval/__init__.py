"""Retrieval: materials found by another facet, beside chance, what is possible, and simple methods."""
