"""The picture of the structure as a facet."""

from polyfacet.facets.declaration import Facet, Stage
from polyfacet.materials.stage_tables import PICTURES

IMAGE = Facet(
    "image",
    "structure picture",
    "image",
    needs="structure",
    stage=Stage("images", PICTURES, "image"),
    may_be_flipped=True,
    model_suffix="structure",
)
