"""The materials that a network learns from, written once per training and then streamed."""

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from torch_geometric.data import Data

from polyfacet.facets.graph.crystal_graph import GRAPHS, CrystalGraph, check_once, graph_from_row
from polyfacet.facets.graph.example_table import EXAMPLES, example_row, inputs_of
from polyfacet.networks.example_file import ExampleFile, place_of
from polyfacet.networks.parquet_batches import Blocks, ParquetBatches
from polyfacet.runtime.parquet import iterate_table, read_arrow

# Graphs in memory at a time, in double precision.
PIECE = 256


def ids_of_graphs(shards: Sequence[Path]) -> list[list[str]]:
    """Return the materials of each table of graphs.

    Raises
    ------
    UserError
        If a material is in several tables.
    """
    found = [read_arrow(path, GRAPHS, columns=["mat_id"])["mat_id"].to_pylist() for path in shards]
    check_once(mat_id for ids in found for mat_id in ids)
    return found


class ExampleStore(ExampleFile):
    """Materials on disk, as the network reads them."""

    @classmethod
    def write(
        cls, path: Path, shards: Sequence[Path], held_out: Mapping[str, bool], values: pd.DataFrame
    ) -> "ExampleStore":
        """Write the examples of graphs; a shard at a time is in memory.

        Parameters
        ----------
        path
            File to write.
        shards
            Tables of graphs; their number and order do not matter.
        held_out
            The materials: mat_id to whether it chooses the epoch.
        values
            One column per property, NaN where unknown; mat_id as index.
        """
        names = sorted(held_out)
        ranks = {mat_id: rank for rank, mat_id in enumerate(names)}
        known = values.reindex(names).to_numpy(dtype=np.float64)

        def as_row(graph: CrystalGraph) -> dict[str, Any]:
            rank = ranks[graph.mat_id]
            return example_row(graph, rank, held_out[graph.mat_id], known[rank])

        groups = _consecutive(shards, held_out)
        return cls.written(path, (_examples_of(group, held_out, as_row) for group in groups), EXAMPLES)

    def inputs(self) -> Iterator[Data]:
        """Yield the inputs of the network of all materials, in a fixed order."""
        batches: ParquetBatches[list[Data]] = ParquetBatches(
            Blocks(self.path), PIECE, None, lambda table, _: inputs_of(table)
        )
        for inputs in batches.batches(0):
            yield from inputs


def _consecutive(shards: Sequence[Path], wanted: Container[str]) -> Iterator[list[Path]]:
    """Group tables of graphs so that the materials of each group precede those of the next.

    The tables of a run are intervals of `place_of`, and each is its own group.
    """
    intervals = []
    for path, ids in zip(shards, ids_of_graphs(shards), strict=True):
        places = [place_of(mat_id) for mat_id in ids if mat_id in wanted]
        if places:
            intervals.append((min(places), max(places), path))
    group: list[Path] = []
    end = -1
    for first, last, path in sorted(intervals):
        if group and first > end:
            yield group
            group = []
        group.append(path)
        end = max(end, last)
    if group:
        yield group


def _examples_of(
    group: Sequence[Path], wanted: Container[str], as_row: Callable[[CrystalGraph], dict[str, Any]]
) -> pa.Table:
    """Return the examples among the graphs of some tables, in the order of `place_of`."""
    pieces = [EXAMPLES.empty_table()]
    places: list[int] = []
    for graphs in (piece for path in group for piece in _graphs_of(path, wanted)):
        pieces.append(pa.Table.from_pylist(list(map(as_row, graphs)), schema=EXAMPLES))
        places.extend(place_of(graph.mat_id) for graph in graphs)
    order = sorted(range(len(places)), key=places.__getitem__)
    return pa.concat_tables(pieces).combine_chunks().take(pa.array(order, pa.int64()))


def _graphs_of(path: Path, wanted: Container[str]) -> Iterator[list[CrystalGraph]]:
    """Read the graphs of a table, some at a time."""
    for table in iterate_table(path, GRAPHS):
        chosen = [mat_id in wanted for mat_id in table["mat_id"].to_pylist()]
        graphs = table.filter(pa.array(chosen, pa.bool_()))
        for start in range(0, len(graphs), PIECE):
            yield [graph_from_row(row) for row in graphs.slice(start, PIECE).to_pandas().to_dict("records")]
