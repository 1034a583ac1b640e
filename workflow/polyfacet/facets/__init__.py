"""The ways to look at a material."""
