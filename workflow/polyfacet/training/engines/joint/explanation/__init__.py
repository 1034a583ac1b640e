"""Explanations of the joint network: what properties, regions of pictures and atoms contribute."""
