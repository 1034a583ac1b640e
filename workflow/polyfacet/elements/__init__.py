"""The chemical elements: their symbols, and what the columns of users call them."""
