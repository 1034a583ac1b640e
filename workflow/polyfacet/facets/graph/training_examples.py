"""Materials that the network learns from and materials that choose the epoch, all of the training part."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from torch_geometric.data import Batch, Data

from polyfacet.facets.graph.crystal_graph import CrystalGraph
from polyfacet.facets.graph.example_table import VALUES, inputs_of, values_of
from polyfacet.facets.graph.limits import MIN_MATERIALS
from polyfacet.facets.graph.network import network_input
from polyfacet.networks.batch_source import BatchSource
from polyfacet.networks.example_file import ExamplesOfPart
from polyfacet.networks.held_out import hold_out
from polyfacet.networks.memory_batches import MemoryBatches
from polyfacet.networks.parquet_batches import RANK, ParquetBatches
from polyfacet.networks.processes import own_share

AsInput = Callable[[CrystalGraph], Data]


@dataclass(frozen=True, eq=False)
class Part:
    """Materials that are computed together: a batch, or a part of it.

    Parameters
    ----------
    data
        Their inputs of the network.
    values
        Properties, shape ``(materials, properties)``, in their units; NaN where unknown.
    ranks
        Places of the materials among all, shape ``(materials,)``.
    n_materials
        Number of materials of the whole step, in all its parts and processes.
    """

    data: Batch
    values: NDArray[np.float64]
    ranks: NDArray[np.int64]
    n_materials: int


class Examples(Protocol):
    """Materials to learn from, in memory or on disk."""

    @property
    def ranks(self) -> NDArray[np.int64]:
        """Places of the materials among all, ascending, shape ``(materials,)``."""
        ...

    @property
    def values(self) -> NDArray[np.float64]:
        """Properties in this order, shape ``(materials, properties)``; NaN where unknown."""
        ...

    @property
    def digest(self) -> str:
        """Identifies the materials, for the state of a training."""
        ...

    def steps(self, batch_size: int, seed: int | None = None, n_parts: int = 1) -> BatchSource[list[Part]]:
        """Return this process's parts of each step; without a seed in a fixed order."""
        ...


class StoredExamples(ExamplesOfPart):
    """Those of the materials on disk that are trained on, or that choose the epoch; see `Examples`."""

    @property
    def values(self) -> NDArray[np.float64]:
        """Properties of the materials, by their ranks."""
        return values_of(self.columns([VALUES]))

    def steps(self, batch_size: int, seed: int | None = None, n_parts: int = 1) -> BatchSource[list[Part]]:
        """Stream this process's parts of each step."""
        share = own_share()

        def parts_of(table: pa.Table, n_materials: int) -> list[Part]:
            # All processes have as many parts, also those with the smallest share.
            cuts = np.array_split(np.arange(len(table)), max(1, min(n_parts, n_materials // share.of)))
            return [_part_of(table.take(rows), n_materials) for rows in cuts if len(rows)]

        return ParquetBatches(self.blocks(), batch_size, seed, parts_of, share)


def _part_of(table: pa.Table, n_materials: int) -> Part:
    ranks = table[RANK].combine_chunks().to_numpy(zero_copy_only=False)
    return Part(Batch.from_data_list(inputs_of(table)), values_of(table), ranks, n_materials)


@dataclass(frozen=True, eq=False)
class MemoryExamples:
    """Materials in memory, for one process and comparisons with other networks; see `Examples`.

    Parameters
    ----------
    inputs
        Inputs of the network.
    values
        Properties, shape ``(materials, properties)``, in their units; NaN where unknown.
    digest
        Identifies the materials.
    """

    inputs: Sequence[Data]
    values: NDArray[np.float64]
    digest: str = ""

    @property
    def ranks(self) -> NDArray[np.int64]:
        """Places of the materials."""
        return np.arange(len(self.inputs))

    def steps(self, batch_size: int, seed: int | None = None, n_parts: int = 1) -> BatchSource[list[Part]]:
        """Return the parts of each step."""

        def parts_of(rows: NDArray[np.int64], n_materials: int) -> list[Part]:
            return [
                Part(
                    Batch.from_data_list([self.inputs[row] for row in cut]),
                    self.values[cut],
                    cut,
                    n_materials,
                )
                for cut in np.array_split(rows, min(n_parts, len(rows)))
            ]

        return MemoryBatches(len(self.inputs), batch_size, seed, parts_of)


def held_out_materials(groups: Mapping[str, str], validation_fraction: float, seed: int) -> dict[str, bool]:
    """Choose the materials that choose the epoch.

    Parameters
    ----------
    groups
        mat_id of the materials with a graph to group (the same for at least all materials of one formula).
    validation_fraction
        Share of the materials that choose the epoch.
    seed
        Seed of the choice.

    Returns
    -------
    dict
        mat_id to whether it chooses the epoch.

    Raises
    ------
    NothingToLearnError
        If either part has too few materials.
    """
    training, validation = hold_out(
        groups,
        validation_fraction,
        seed,
        purpose="validation of the network",
        what="a graph",
        fewest=MIN_MATERIALS,
    )
    return dict.fromkeys(training, False) | dict.fromkeys(validation, True)


def examples_of(
    graphs: Sequence[CrystalGraph], properties: pd.DataFrame, as_input: AsInput = network_input
) -> MemoryExamples:
    """Return the examples of graphs, given one column per property, NaN where unknown; mat_id as index."""
    values = properties.loc[[graph.mat_id for graph in graphs]].to_numpy(dtype=np.float64)
    return MemoryExamples([as_input(graph) for graph in graphs], values)
