"""The text facet."""

from types import MappingProxyType

from polyfacet.facets.declaration import FRACTIONS, OF_FORMULAS, OF_STRUCTURES, Facet, Stage
from polyfacet.facets.text.variants import FORMULA_TEXTS, STRUCTURE_TEXTS
from polyfacet.materials.stage_tables import TEXTS

TEXT = Facet(
    "text",
    "text",
    "text",
    needs="formula",
    variants=MappingProxyType(
        dict.fromkeys(FORMULA_TEXTS, OF_FORMULAS) | dict.fromkeys(STRUCTURE_TEXTS, OF_STRUCTURES)
    ),
    stage=Stage("text-{form}", TEXTS, "text"),
    encodings=MappingProxyType(dict.fromkeys(FORMULA_TEXTS, FRACTIONS)),
)
