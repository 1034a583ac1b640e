"""The table passed to AutoGluon: one column per text or picture, one per number of a vector."""

from collections.abc import Sequence

import pandas as pd

from polyfacet.facets.declaration import Facet
from polyfacet.facets.registry import shown_columns
from polyfacet.materials.objectives import Objective
from polyfacet.training.engines.numeric_facets import vectors

# AutoGluon's type of a column by the kind of its facet.
_COLUMN_TYPES = {"text": "text", "image": "image_path", "vector": "numerical"}


def columns_of(facet: Facet, columns: Sequence[str]) -> list[str]:
    """List the columns of a model table that hold a facet."""
    if facet.kind == "vector":
        return [column for column in columns if column.startswith(f"{facet.name}_")]
    return shown_columns(facet, columns)


def all_picture_columns(facets: Sequence[Facet], columns: Sequence[str]) -> list[str]:
    """List the columns of a table that hold pictures of the given facets."""
    return [name for facet in facets if facet.kind == "image" for name in shown_columns(facet, columns)]


def model_table(
    frame: pd.DataFrame, facets: Sequence[Facet], objective: Objective | None = None
) -> pd.DataFrame:
    """Select the facets of the combination, and the objective if given; all else is left out.

    Parameters
    ----------
    frame
        Rows of the dataset table.
    facets
        Facets of the combination; a vector of n numbers becomes the columns ``graph_000`` and so on.
    objective
        Objective to learn; None for prediction.

    Returns
    -------
    pandas.DataFrame
        As many rows as ``frame``, in its order, numbered from 0.

    Raises
    ------
    EngineError
        If a number of a vector is infinite.
    """
    parts: list[pd.DataFrame | pd.Series] = []
    for facet in facets:
        if facet.kind == "vector":
            parts.append(_expanded(frame, facet))
        else:
            parts.append(frame[shown_columns(facet, frame.columns)].reset_index(drop=True))
    if objective is not None:
        parts.append(frame[objective.column].reset_index(drop=True))
    return pd.concat(parts, axis="columns")


def column_types(facets: Sequence[Facet], columns: Sequence[str]) -> dict[str, str]:
    """Return AutoGluon's type of each column of a model table, which it would otherwise guess."""
    return {name: _COLUMN_TYPES[facet.kind] for facet in facets for name in columns_of(facet, columns)}


def _expanded(frame: pd.DataFrame, facet: Facet) -> pd.DataFrame:
    values = vectors(frame, [facet])
    return pd.DataFrame(values, columns=[f"{facet.name}_{i:03d}" for i in range(values.shape[1])])
