"""The composition image as a facet."""

from polyfacet.facets.declaration import Facet, Stage
from polyfacet.materials.stage_tables import COMPOSITION_IMAGES

COMPIMAGE = Facet(
    "compimage",
    "composition image",
    "image",
    needs="formula",
    stage=Stage(
        "composition_images", COMPOSITION_IMAGES, "image", of_split=True, rejects="composition_statistics"
    ),
    pixels_are_numbers=True,
    model_suffix="composition",
)
