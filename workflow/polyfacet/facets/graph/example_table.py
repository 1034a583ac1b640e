"""Table of materials to learn from: inputs of the network, as it computes with them, and properties."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray
from torch_geometric.data import Data

from polyfacet.facets.graph.crystal_graph import CrystalGraph
from polyfacet.facets.graph.network import network_input
from polyfacet.networks.example_file import HELD_OUT, PLACES
from polyfacet.networks.parquet_batches import RANK
from polyfacet.runtime.parquet import column

VALUES = "values"
# Numbers of atoms are limited by the memory that their pairs take, far below what 16 bits hold.
INPUT = (
    column("atomic_numbers", pa.list_(pa.int16()), "atoms of the graph"),
    column("edge_source", pa.list_(pa.int16()), "distinct edges of the local graph: neighbour"),
    column("edge_target", pa.list_(pa.int16()), "distinct edges of the local graph: receiving atom"),
    column("edge_count", pa.list_(pa.int16()), "distinct edges of the local graph: how many are equal"),
    column("edge_potential", pa.list_(pa.float32()), "distinct edges of the local graph: potential"),
    column("pair_potential", pa.list_(pa.float32()), "complete graph: potential of all ordered pairs"),
)
EXAMPLES = pa.schema(
    [
        *PLACES,
        column(VALUES, pa.list_(pa.float64()), "properties, in their units; NaN where unknown"),
        *INPUT,
    ]
)


def example_row(
    graph: CrystalGraph, rank: int, held_out: bool, values: NDArray[np.float64]
) -> dict[str, Any]:
    """Return a material as a row of the table."""
    return {RANK: rank, HELD_OUT: held_out, VALUES: values, **input_row(graph)}


def input_row(graph: CrystalGraph) -> dict[str, NDArray[Any]]:
    """Return the input of the network as values of the columns `INPUT`."""
    data = network_input(graph)
    return {
        "atomic_numbers": data.atomic_numbers.numpy().astype(np.int16),
        "edge_source": data.edge_index[0].numpy().astype(np.int16),
        "edge_target": data.edge_index[1].numpy().astype(np.int16),
        "edge_count": data.edge_count.numpy().astype(np.int16),
        "edge_potential": data.edge_potential.numpy(),
        "pair_potential": data.pair_potential.numpy(),
    }


def inputs_of(table: pa.Table) -> list[Data]:
    """Return the inputs of the network of all rows, bit for bit those of `network_input`."""
    columns = {field.name: _rows_of(table[field.name]) for field in INPUT}
    return [input_of({name: rows[number] for name, rows in columns.items()}) for number in range(len(table))]


def values_of(table: pa.Table) -> NDArray[np.float64]:
    """Return the properties of all rows, shape ``(materials, properties)``."""
    if not len(table):
        return np.empty((0, 0))
    flat: NDArray[np.float64] = table[VALUES].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return flat.reshape(len(table), -1)


def _rows_of(lists: pa.ChunkedArray) -> list[NDArray[Any]]:
    """Return the values of each list."""
    together = lists.combine_chunks()
    lengths = together.value_lengths().to_numpy(zero_copy_only=False)
    return np.split(together.flatten().to_numpy(zero_copy_only=False), np.cumsum(lengths)[:-1])


def input_of(row: Mapping[str, NDArray[Any]]) -> Data:
    """Return the input of the network that `input_row` has written."""
    n_atoms = len(row["atomic_numbers"])
    atoms = torch.arange(n_atoms)
    edges = np.stack([row["edge_source"], row["edge_target"]]).astype(np.int64)
    return Data(
        num_nodes=n_atoms,
        atomic_numbers=torch.from_numpy(row["atomic_numbers"].astype(np.int64)),
        edge_index=torch.from_numpy(edges),
        edge_potential=torch.from_numpy(row["edge_potential"].copy()),
        edge_count=torch.from_numpy(row["edge_count"].astype(np.float32)),
        pair_index=torch.cartesian_prod(atoms, atoms).T.contiguous(),
        pair_potential=torch.from_numpy(row["pair_potential"].copy()),
    )
