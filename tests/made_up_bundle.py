"""A bundle that plans of `snakemake predict` can read; it has no model."""

import json
from collections.abc import Sequence
from pathlib import Path

from polyfacet.config.composition import Composition
from polyfacet.config.graphs import Graphs
from polyfacet.config.images import Drawing
from polyfacet.config.sample import MaxSites
from polyfacet.training.bundles.description import (
    MODEL_FOLDER,
    BundleDescription,
    BundledFacet,
    BundledObjective,
    CellOfBundle,
    Comparison,
    FacetSettings,
    write_description,
)
from polyfacet.training.engines.base import ENGINE_FILE


def write_made_up_bundle(
    folder: Path, facets: Sequence[BundledFacet] = (), drawing: Drawing | None = None
) -> None:
    """Write the description of a baseline's bundle, and what its model says of itself.

    Parameters
    ----------
    folder
        Its folder, which is created.
    facets
        The facets that the model looks at.
    drawing
        How pictures of structures are drawn; None for the defaults.
    """
    cell = dict.fromkeys(CellOfBundle.model_fields, "made_up")
    description = BundleDescription(
        cell=CellOfBundle(**{**cell, "repeat": 0, "engine": "dummy"}),
        objective=BundledObjective(column="gap", label="Band gap", unit="eV", classes=()),
        facets=tuple(facets),
        settings=FacetSettings(
            max_sites=MaxSites(), graphs=Graphs(), images=drawing or Drawing(), composition=Composition()
        ),
        fitted={},
        needs_statistics=False,
        calibrated=True,
        table=None,
        comparison=Comparison(vectors=(), quantile=0.95, threshold=1.0),
        plugins=(),
        versions={},
        files={},
    )
    (folder / MODEL_FOLDER).mkdir(parents=True)
    write_description(folder, description)
    (folder / MODEL_FOLDER / ENGINE_FILE).write_text(json.dumps({"engine": "dummy", "settings": {}}))
