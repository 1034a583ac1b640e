"""What a split must not divide: equal formulas, equal values of a column, twins."""

from collections.abc import Iterable, Mapping

import networkx as nx
import pandas as pd

from polyfacet.materials.same_composition import composition_groups


def by_material(materials: pd.DataFrame) -> dict[str, str]:
    """Return each material as a group of its own: mat_id to mat_id."""
    return {mat_id: mat_id for mat_id in materials["mat_id"]}


def by_column(materials: pd.DataFrame, column: str) -> dict[str, str]:
    """Group materials by the values of a column; one without a value is a group of its own."""
    return {
        mat_id: f"{mat_id}" if pd.isna(value) else f"{column}={value}"
        for mat_id, value in materials[["mat_id", column]].itertuples(index=False)
    }


def by_formula(materials: pd.DataFrame, *, rounded: bool) -> dict[str, str]:
    """Group materials by formula, all in one spelling.

    Parameters
    ----------
    materials
        ``mat_id`` and ``formula``.
    rounded
        Whether formulas are as someone rounded them, so that compositions must be compared: each with each,
        which is not for millions of materials.
    """
    formulas = dict(zip(materials["mat_id"], materials["formula"], strict=True))
    return composition_groups(formulas) if rounded else formulas


def with_twins(groups: Mapping[str, str], twins: Mapping[str, str]) -> dict[str, str]:
    """Join groups that share twins.

    Parameters
    ----------
    groups
        mat_id to group.
    twins
        mat_id to the name of its twins, of materials that have any.

    Returns
    -------
    dict
        mat_id to the joined group, named after the first of its groups.
    """
    graph = nx.Graph()
    graph.add_nodes_from(groups.values())
    graph.add_edges_from(_links(groups, twins))
    joined = {group: min(component) for component in nx.connected_components(graph) for group in component}
    return {mat_id: joined[group] for mat_id, group in groups.items()}


def _links(groups: Mapping[str, str], twins: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    first: dict[str, str] = {}
    for mat_id, name in sorted(twins.items()):
        if mat_id in groups:
            yield first.setdefault(name, groups[mat_id]), groups[mat_id]
