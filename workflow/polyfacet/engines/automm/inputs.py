"""The table that AutoGluon sees: one column per text or picture, one per number of the embedding."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from polyfacet.facets import Facet
from polyfacet.targets import Target

_COLUMN_TYPES = {
    Facet.TEXT: "text",
    Facet.IMAGE: "image_path",
    Facet.COMPIMAGE: "image_path",
    Facet.TABULAR: "numerical",
}


def picture_columns(facets: Sequence[Facet]) -> list[str]:
    """Name the columns that hold paths of pictures."""
    return [facet.facts.column for facet in facets if _COLUMN_TYPES[facet] == "image_path"]


def model_table(frame: pd.DataFrame, facets: Sequence[Facet], target: Target | None = None) -> pd.DataFrame:
    """Select the facets of the combination, and the target where it is given; the rest stays unseen.

    Parameters
    ----------
    frame
        Rows of the dataset table.
    facets
        Facets of the combination; an embedding of n numbers becomes the columns ``embedding_000`` and so on.
    target
        What is learned; None for prediction.

    Returns
    -------
    pandas.DataFrame
        As many rows as ``frame``, in its order, numbered from 0.
    """
    parts = []
    for facet in facets:
        column = frame[facet.facts.column].reset_index(drop=True)
        parts.append(_expanded(column) if facet is Facet.TABULAR else column)
    if target is not None:
        parts.append(frame[target.value].reset_index(drop=True))
    return pd.concat(parts, axis="columns")


def column_types(facets: Sequence[Facet], columns: Sequence[str]) -> dict[str, str]:
    """Give AutoGluon's type of each column of a model table, which it would guess otherwise."""
    types = {facet.facts.column: _COLUMN_TYPES[facet] for facet in facets if facet is not Facet.TABULAR}
    if Facet.TABULAR in facets:
        numbers = [name for name in columns if name.startswith(f"{Facet.TABULAR.facts.column}_")]
        types |= dict.fromkeys(numbers, _COLUMN_TYPES[Facet.TABULAR])
    return types


def _expanded(column: pd.Series) -> pd.DataFrame:
    values = np.stack(column.to_list()).astype(np.float64)
    return pd.DataFrame(values, columns=[f"{column.name}_{i:03d}" for i in range(values.shape[1])])
