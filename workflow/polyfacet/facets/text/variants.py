"""The forms of the text facet: what they are written from, and who can read them."""

from typing import get_args

from polyfacet.config.composition import FormulaText, StructureText

FORMULA_TEXTS = get_args(FormulaText)
STRUCTURE_TEXTS = get_args(StructureText)
# The text of `composition`, whose frozen encoding is pretrained.
PRETRAINED_TEXT: FormulaText = "matscholar"
CELL_COMPOSITION: StructureText = "cell_composition"
# Elements and numbers only, which local encoders know.
TEXTS_OF_SYMBOLS = (*FORMULA_TEXTS, CELL_COMPOSITION)
