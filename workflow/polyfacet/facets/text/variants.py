"""The forms of the text facet, by what they are written from."""

FORMULA_TEXTS = ("composition", "composition_fraction", "crabnet")
STRUCTURE_TEXTS = ("robocrystallographer", "cif")
