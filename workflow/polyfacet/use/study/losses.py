"""Losses as a study averages and writes them."""

from collections.abc import Sequence

import pandas as pd

from polyfacet.reporting.numbers import number_text


def mean_over_objectives(losses: pd.DataFrame, keys: Sequence[str], n_objectives: int) -> pd.Series:
    """Return the mean loss over repeats and objectives.

    Parameters
    ----------
    losses
        Columns ``objective``, ``loss`` and ``keys``.
    keys
        Columns by which losses are grouped.
    n_objectives
        Number of objectives that there are.

    Returns
    -------
    pandas.Series
        Means by the keys; missing unless there is a loss for every objective, in every repeat.
    """
    means = losses.groupby([*keys, "objective"])["loss"].agg(lambda values: values.mean(skipna=False))
    groups = means.groupby(list(keys))
    return groups.mean().where(groups.count() == n_objectives)


def loss_text(value: float) -> str:
    """Write a loss."""
    return number_text(value, ".3f")
