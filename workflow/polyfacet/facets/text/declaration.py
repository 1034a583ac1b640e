"""The text facet."""

from types import MappingProxyType

from polyfacet.facets.declaration import FRACTIONS, MATSCHOLAR, OF_FORMULAS, OF_STRUCTURES, Facet, Stage
from polyfacet.facets.text.variants import (
    CELL_COMPOSITION,
    FORMULA_TEXTS,
    PRETRAINED_TEXT,
    STRUCTURE_TEXTS,
)
from polyfacet.materials.stage_tables import TEXTS

TEXT = Facet(
    "text",
    "text",
    "text",
    needs="formula",
    variants=MappingProxyType(
        dict.fromkeys(FORMULA_TEXTS, OF_FORMULAS)
        | dict.fromkeys(STRUCTURE_TEXTS, OF_STRUCTURES)
        # How many atoms are in the cell, but not how large it is.
        | {CELL_COMPOSITION: OF_FORMULAS | {"sites"}}
    ),
    stage=Stage("text-{form}", TEXTS, "text"),
    encodings=MappingProxyType(dict.fromkeys(FORMULA_TEXTS, FRACTIONS) | {PRETRAINED_TEXT: MATSCHOLAR}),
)
