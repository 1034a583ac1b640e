"""Frozen encodings of new materials, by the encoders of a bundle."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from polyfacet.facets.registry import encoding_column, facet_named
from polyfacet.training.bundles.description import BundledFacet, encoder_name


def with_new_encodings(
    rows: pd.DataFrame, facets: Sequence[BundledFacet], fitted: Mapping[str, Path]
) -> pd.DataFrame:
    """Add the encodings of those facets that a bundle has encoders for.

    Parameters
    ----------
    rows
        Materials with all facets: ``mat_id``, ``formula`` and the columns of the facets.
    facets
        Facets of the bundle.
    fitted
        Fitted files of the bundle by name.
    """
    for facet in facets:
        path = fitted.get(encoder_name(facet.name))
        declared = facet_named(facet.name)
        encoding = declared.encoded_as(facet.form)
        if path is not None and encoding is not None:
            numbers = encoding.load().load(path).encode(rows, facet.columns)
            encoded = pd.Series(list(numbers), rows.index, dtype=object)
            rows = rows.assign(**{encoding_column(declared): encoded})
    return rows
