"""The forms of the text facet, by what they are written from."""

from typing import get_args

from polyfacet.config.composition import FormulaText, StructureText

FORMULA_TEXTS = get_args(FormulaText)
STRUCTURE_TEXTS = get_args(StructureText)
