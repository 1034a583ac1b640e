"""The forms of the text facet: those written from the formula, and those written from the structure."""

from typing import get_args

from polyfacet.config.composition import FormulaText, StructureText

FORMULA_TEXTS = get_args(FormulaText)
STRUCTURE_TEXTS = get_args(StructureText)
