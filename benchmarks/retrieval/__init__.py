"""How well facets of 10,000 crystals find each other."""
