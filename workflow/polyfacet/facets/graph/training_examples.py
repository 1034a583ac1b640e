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
from polyfacet.runtime.errors import UserError
from polyfacet.splits.parts import divide

MIN_TRAINED_ON = 5


class NothingToLearnError(Exception):
    """The network cannot learn from the materials: too few, or no property varies; the message says which."""


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

    No group is divided: polymorphs of materials trained on would hide overfitting.

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
    if len(graphs) < MIN_MATERIALS:
        raise NothingToLearnError(
            f"there are {len(graphs)} training materials with a graph, and training needs {MIN_MATERIALS}"
        )
    groups = properties["group"].to_dict()
    try:
        parts = divide(
            {graph.mat_id: groups[graph.mat_id] for graph in graphs},
            1 - validation_fraction,
            "validation of the network",
            seed,
        )
    except UserError as error:
        raise NothingToLearnError(
            "the training materials have too few formulas to hold any out for validation"
        ) from error
    names = [name for name in properties.columns if name != "group"]
    training, validation = (
        sorted((graph for graph in graphs if graph.mat_id in part), key=lambda graph: graph.mat_id)
        for part in parts
    )
    if len(training) < MIN_TRAINED_ON:
        raise NothingToLearnError(
            f"splitting {len(graphs)} training materials by formula leaves {len(training)} to train on, and "
            f"training needs {MIN_TRAINED_ON}"
        )
    return _examples(training, properties[names]), _examples(validation, properties[names])


def _examples(graphs: Sequence[CrystalGraph], properties: pd.DataFrame) -> Examples:
    values = properties.loc[[graph.mat_id for graph in graphs]].to_numpy(dtype=np.float64)
    return Examples([network_input(graph) for graph in graphs], values)
