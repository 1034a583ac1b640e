"""The rows and columns that engines see."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from polyfacet.facets.compimage.statistics_table import STATISTICS_COLUMN
from polyfacet.facets.declaration import Facet
from polyfacet.facets.registry import combination_name, crystal_column, encoding_column, shown_columns
from polyfacet.materials.objectives import Objective
from polyfacet.splits.parts import TRAIN


def have_facet(rows: pd.DataFrame, facet: Facet) -> NDArray[np.bool_]:
    """Return whether each row has a facet, shape (rows,)."""
    return np.array([facet.name in present for present in rows["facets"]], dtype=bool)


def have_facets(rows: pd.DataFrame, facets: Sequence[Facet], *, missing: bool) -> NDArray[np.bool_]:
    """Return whether an engine can use each row, shape (rows,).

    Parameters
    ----------
    rows
        Aligned rows; the column ``facets`` lists the facets that each has.
    facets
        Facets of a cell or a method; rows have all of none.
    missing
        Whether rows may lack some of the facets, but not all.
    """
    if not facets:
        return np.ones(len(rows), dtype=bool)
    have = np.stack([have_facet(rows, facet) for facet in facets])
    return np.asarray(have.any(axis=0) if missing else have.all(axis=0))


def lacking(rows: pd.DataFrame, facets: Sequence[Facet]) -> pd.Series:
    """Name the facets that each row lacks, joined by +; None where it has all."""
    names = [
        combination_name(facet for facet in facets if facet.name not in present) or None
        for present in rows["facets"]
    ]
    return pd.Series(names, rows.index, dtype=object)


def what_engines_see(rows: pd.DataFrame, facets: Sequence[Facet]) -> pd.DataFrame:
    """Return a copy of identifiers, facets, encodings and statistics, without columns that cells predict.

    Where a row lacks a facet, all columns of the facet are None, even if some of its pictures exist; so are
    the statistics, which may show what the facet would.
    """
    columns = {facet: _columns_of(facet, rows) for facet in facets}
    statistics = [STATISTICS_COLUMN] if STATISTICS_COLUMN in rows else []
    own = [name for names in columns.values() for name in names]
    seen = rows[["mat_id", *own, *statistics]].copy(deep=True)
    if "facets" in rows:
        for facet, names in columns.items():
            lacks = ~have_facet(rows, facet)
            if lacks.any():
                hidden = [*names, *statistics]
                seen[hidden] = seen[hidden].astype(object)
                seen.loc[lacks, hidden] = None
    return seen


def rows_of_foundation(
    materials: pd.DataFrame,
    facets: Sequence[Facet],
    objectives: Sequence[Objective],
    *,
    missing: bool,
) -> pd.DataFrame:
    """Select what the foundation of a method is made from.

    Parameters
    ----------
    materials
        Aligned rows of all parts.
    facets
        All facets of the method.
    objectives
        Objectives that the foundation learns from; empty if it learns from none.
    missing
        Whether rows may lack some of the facets.

    Returns
    -------
    pandas.DataFrame
        Rows of the training part, as `Engine.pretrain` expects them.
    """
    is_used = (materials["part"] == TRAIN).to_numpy() & have_facets(materials, facets, missing=missing)
    rows = materials[is_used].reset_index(drop=True)
    learned = [objective.column for objective in objectives]
    return what_engines_see(rows, facets).assign(**{name: rows[name] for name in _taught(learned)})


def _taught(learned: Sequence[str]) -> list[str]:
    """Return the columns that a foundation needs to learn from objectives."""
    return ["group", *learned] if learned else []


def _columns_of(facet: Facet, rows: pd.DataFrame) -> list[str]:
    """Return the columns of a facet, of its encoding, and of what it is made from."""
    others = (encoding_column(facet), crystal_column(facet))
    return [*shown_columns(facet, rows.columns), *(name for name in others if name in rows)]
