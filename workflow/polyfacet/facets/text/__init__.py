"""Texts that tell a language model of the structure and not only of the composition."""
