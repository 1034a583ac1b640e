"""Materials that the network learns from and materials that choose the epoch, all of the training part."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch_geometric.data import Data

from polyfacet.facets.graph.crystal_graph import CrystalGraph
from polyfacet.facets.graph.limits import MIN_MATERIALS
from polyfacet.facets.graph.network import network_input
from polyfacet.networks.held_out import hold_out


@dataclass(frozen=True, eq=False)
class Examples:
    """Materials to learn from.

    Parameters
    ----------
    inputs
        Inputs of the network; see `polyfacet.facets.graph.network.network_input`.
    values
        Properties, shape ``(materials, properties)``, in their units; NaN where unknown.
    """

    inputs: Sequence[Data]
    values: NDArray[np.float64]


def examples_by_group(
    graphs: Sequence[CrystalGraph], properties: pd.DataFrame, validation_fraction: float, seed: int
) -> tuple[Examples, Examples]:
    """Choose the materials to train on, and those that choose the epoch.

    Parameters
    ----------
    graphs
        Graphs of the training part.
    properties
        ``group`` (the same for at least all materials of one formula) and one column per property, NaN where
        unknown; mat_id as index.
    validation_fraction
        Share of the materials that choose the epoch.
    seed
        Seed of the choice.

    Raises
    ------
    NothingToLearnError
        If either has too few materials.
    """
    groups = properties["group"].to_dict()
    parts = hold_out(
        {graph.mat_id: groups[graph.mat_id] for graph in graphs},
        validation_fraction,
        seed,
        purpose="validation of the network",
        what="a graph",
        fewest=MIN_MATERIALS,
    )
    by_id = {graph.mat_id: graph for graph in graphs}
    names = [name for name in properties.columns if name != "group"]
    training, validation = ([by_id[mat_id] for mat_id in part] for part in parts)
    return _examples(training, properties[names]), _examples(validation, properties[names])


def _examples(graphs: Sequence[CrystalGraph], properties: pd.DataFrame) -> Examples:
    values = properties.loc[[graph.mat_id for graph in graphs]].to_numpy(dtype=np.float64)
    return Examples([network_input(graph) for graph in graphs], values)
