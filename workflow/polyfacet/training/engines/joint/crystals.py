"""Crystal graphs of rows, as inputs of the graph network."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from polyfacet.facets.registry import GRAPH, crystal_column
from polyfacet.runtime.errors import UserError

# A graph as the columns `polyfacet.facets.graph.example_table.INPUT`.
Row = Mapping[str, NDArray[Any]]
# Of a row without a graph: a single atom without edges, as batches need a graph for each row.
PLACEHOLDER: Row = {
    "atomic_numbers": np.ones(1, np.int16),
    **dict.fromkeys(("edge_source", "edge_target", "edge_count"), np.empty(0, np.int16)),
    "edge_potential": np.empty(0, np.float32),
    "pair_potential": np.zeros(1, np.float32),
}


@dataclass(frozen=True, eq=False)
class Crystals:
    """Crystal graphs, one per row."""

    rows: Sequence[Row]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, rows: torch.Tensor | slice) -> "Crystals":
        chosen = range(len(self.rows))[rows] if isinstance(rows, slice) else rows.tolist()
        return Crystals([self.rows[row] for row in chosen])

    def only(self, present: torch.Tensor) -> "Crystals":
        """Replace the graphs of other rows; ``present`` has shape ``(rows,)``."""
        pairs = zip(self.rows, present.tolist(), strict=True)
        return Crystals([row if shown else PLACEHOLDER for row, shown in pairs])


def spread_crystals(crystals: Crystals, present: torch.Tensor) -> Crystals:
    """Insert placeholders for the rows without a graph."""
    known = iter(crystals.rows)
    return Crystals([next(known) if shown else PLACEHOLDER for shown in present.tolist()])


def read_crystals(rows: pd.DataFrame, engine: str) -> Crystals:
    """Read the graphs of rows.

    Raises
    ------
    UserError
        If the rows have none.
    """
    name = crystal_column(GRAPH)
    if name not in rows or rows[name].isna().any():
        raise UserError(
            f"the rows have a vector of the facet {GRAPH.name}, but no crystal graph, which the engine "
            f"{engine} reads with `graphs: network`"
        )
    return Crystals(list(_inputs(rows[name])))


def _inputs(graphs: Iterable[Mapping[str, Any]]) -> Iterable[Row]:
    # Takes seconds, and only this reading of graphs needs it.
    from polyfacet.facets.graph.crystal_graph import graph_from_row  # noqa: PLC0415
    from polyfacet.facets.graph.example_table import input_row  # noqa: PLC0415

    return (input_row(graph_from_row(graph)) for graph in graphs)
