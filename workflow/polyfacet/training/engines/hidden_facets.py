"""Rows of the contract check whose facets are hidden, for engines that accept rows without some facets."""

from collections.abc import Sequence
from itertools import combinations

import pandas as pd

from polyfacet.facets.declaration import Facet
from polyfacet.training.seen_rows import what_engines_see


def with_hidden_facets(rows: pd.DataFrame, facets: Sequence[Facet]) -> pd.DataFrame:
    """Hide facets of every other row, all proper subsets of the facets in turn.

    Parameters
    ----------
    rows
        Rows that have all facets.
    facets
        The facets.

    Returns
    -------
    pandas.DataFrame
        The same rows, with None in the columns of hidden facets; ``facets`` lists those that are left.
    """
    names = [facet.name for facet in facets]
    subsets = [list(kept) for size in range(1, len(names)) for kept in combinations(names, size)]
    left = [subsets[row // 2 % len(subsets)] if row % 2 and subsets else names for row in range(len(rows))]
    return _with_facets_left(rows, left, facets)


def with_one_facet(rows: pd.DataFrame, kept: Facet, facets: Sequence[Facet]) -> pd.DataFrame:
    """Hide all facets but one."""
    return _with_facets_left(rows, [[kept.name]] * len(rows), facets)


def _with_facets_left(
    rows: pd.DataFrame, left: Sequence[Sequence[str]], facets: Sequence[Facet]
) -> pd.DataFrame:
    named = rows.assign(facets=pd.Series(left, rows.index, dtype=object))
    seen = what_engines_see(named, facets)
    return named.assign(**{str(name): seen[name] for name in seen})
