"""Texts about a material's composition or structure, for language models."""
