"""Groups that a split must not divide: equal formulas, equal values of a column, twins."""

from collections.abc import Iterable, Mapping

import pandas as pd


def by_material(materials: pd.DataFrame) -> dict[str, str]:
    """Make each material its own group: mat_id to mat_id."""
    return {mat_id: mat_id for mat_id in materials["mat_id"]}


def by_column(materials: pd.DataFrame, column: str) -> dict[str, str]:
    """Group materials by the values of a column; each one without a value is its own group."""
    return {
        mat_id: f"{mat_id}" if pd.isna(value) else f"{column}={value}"
        for mat_id, value in materials[["mat_id", column]].itertuples(index=False)
    }


def with_twins(groups: Mapping[str, str], twins: Mapping[str, str]) -> dict[str, str]:
    """Join groups that share twins.

    Parameters
    ----------
    groups
        mat_id to group.
    twins
        mat_id to the name of its twin group, for materials that have twins.

    Returns
    -------
    dict
        mat_id to the joined group, named after the first of the groups in it.
    """
    # Each group points to the smallest name that it is joined with, directly or via others.
    joined = {group: group for group in groups.values()}

    def name(group: str) -> str:
        while joined[group] != group:
            group = joined[group]
        return group

    for first, second in _links(groups, twins):
        smaller, larger = sorted((name(first), name(second)))
        joined[larger] = smaller
    return {mat_id: name(group) for mat_id, group in groups.items()}


def _links(groups: Mapping[str, str], twins: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    """Yield pairs of groups that share twins."""
    first: dict[str, str] = {}
    for mat_id, twin in sorted(twins.items()):
        if mat_id in groups:
            yield first.setdefault(twin, groups[mat_id]), groups[mat_id]
