"""Frozen encodings of new materials, by the encoders of a bundle."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from polyfacet.facets.registry import encoding_column, facet_named
from polyfacet.training.bundles.description import BundledFacet, encoder_name
from polyfacet.training.seen_rows import have_facet


def with_new_encodings(
    rows: pd.DataFrame, facets: Sequence[BundledFacet], fitted: Mapping[str, Path]
) -> pd.DataFrame:
    """Add the encodings of those facets that a bundle has encoders for.

    Parameters
    ----------
    rows
        Materials: ``mat_id``, ``formula``, the columns of the facets, and ``facets``, which lists those that
        each has.  Where a facet is missing, so is its encoding.
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
            having = rows[have_facet(rows, declared)]
            numbers = encoding.load().load(path).encode(having, facet.columns) if len(having) else []
            encoded = pd.Series(list(numbers), having.index, dtype=object).reindex(rows.index)
            rows = rows.assign(**{encoding_column(declared): encoded})
    return rows
