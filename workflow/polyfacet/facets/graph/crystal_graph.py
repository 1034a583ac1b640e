"""The network's view of a crystal, pair potentials and local graph, and the table that stores it."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from polyfacet.config.graphs import PauliDecay
from polyfacet.facets.graph.ewald_terms import TERMS
from polyfacet.facets.graph.lattice_sums import lattice_sums_of
from polyfacet.facets.graph.local_graph import LocalGraph, local_graph
from polyfacet.materials.crystal import Crystal
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.parquet import column, read_table

GRAPHS = pa.schema(
    [
        column("mat_id", pa.string(), "identifier of the material"),
        column("atomic_numbers", pa.list_(pa.int16()), "atoms of the cell that the graph was made from"),
        column(
            "pair_potentials",
            pa.list_(pa.float64()),
            "lattice sums, shape (N, N, 3) row by row: all ordered pairs (i slow, self pairs included) x "
            "(Coulomb, London, Pauli)",
            "1/A, 1/A^6, 1",
        ),
        column("edge_source", pa.list_(pa.int32()), "local graph: index of the neighbour"),
        column("edge_target", pa.list_(pa.int32()), "local graph: index of the receiving atom"),
        column("edge_distance", pa.list_(pa.float64()), "local graph: length of the edge", "A"),
    ]
)


@dataclass(frozen=True, eq=False)
class CrystalGraph:
    """Complete and local graph of one material.

    Parameters
    ----------
    mat_id
        Identifier of the material.
    atomic_numbers
        Shape ``(N,)``.
    pair_potentials
        Lattice sums, shape ``(N, N, 3)``; see `polyfacet.facets.graph.lattice_sums.lattice_sums_of`.
    local
        Local graph.
    """

    mat_id: str
    atomic_numbers: NDArray[np.int64]
    pair_potentials: NDArray[np.float64]
    local: LocalGraph

    def digest(self) -> str:
        """Return a SHA-256 hex digest of everything but the identifier."""
        arrays = (
            self.atomic_numbers,
            self.pair_potentials,
            self.local.source,
            self.local.target,
            self.local.distance,
        )
        return hashlib.sha256(b"".join(f"{a.shape}".encode() + a.tobytes() for a in arrays)).hexdigest()

    def row(self) -> dict[str, Any]:
        """Return the graph as a row of the ``GRAPHS`` table."""
        return {
            "mat_id": self.mat_id,
            "atomic_numbers": self.atomic_numbers,
            "pair_potentials": self.pair_potentials.ravel(),
            "edge_source": self.local.source,
            "edge_target": self.local.target,
            "edge_distance": self.local.distance,
        }


def build_graphs(
    crystals: Mapping[str, Crystal],
    *,
    pauli: PauliDecay,
    neighbours: int,
    min_radius: float,
    across_vacuum: bool = True,
    device: str = "cpu",
) -> list[CrystalGraph]:
    """Compute lattice sums and local graphs of crystals, keyed by mat_id.

    Parameters
    ----------
    crystals
        The materials; on the CPU each graph is the same, to the last bit, whichever others are in the batch.
    pauli, device
        See `polyfacet.facets.graph.lattice_sums.lattice_sums_of`.
    neighbours, min_radius, across_vacuum
        See `polyfacet.facets.graph.local_graph.local_graph`.  The lattice sums include all images.
    """
    all_sums = lattice_sums_of(list(crystals.values()), pauli, device=device)
    return [
        CrystalGraph(
            mat_id=mat_id,
            atomic_numbers=crystal.atomic_numbers,
            pair_potentials=sums.cpu().numpy(),
            local=local_graph(crystal, neighbours, min_radius, across_vacuum=across_vacuum),
        )
        for (mat_id, crystal), sums in zip(crystals.items(), all_sums, strict=True)
    ]


def graph_from_row(row: Mapping[Any, Any]) -> CrystalGraph:
    """Reconstruct a graph from a row of the ``GRAPHS`` table."""
    n_atoms = len(row["atomic_numbers"])
    return CrystalGraph(
        mat_id=row["mat_id"],
        atomic_numbers=row["atomic_numbers"].astype(np.int64),
        pair_potentials=row["pair_potentials"].reshape(n_atoms, n_atoms, len(TERMS)),
        local=LocalGraph(
            source=row["edge_source"].astype(np.int64),
            target=row["edge_target"].astype(np.int64),
            distance=row["edge_distance"],
        ),
    )


def read_graphs(paths: Iterable[Path]) -> list[CrystalGraph]:
    """Read the graphs of all shards, ordered by mat_id.

    Raises
    ------
    UserError
        If a material is in several shards.
    """
    graphs = [graph_from_row(row) for path in paths for row in read_table(path, GRAPHS).to_dict("records")]
    check_once(graph.mat_id for graph in graphs)
    return sorted(graphs, key=lambda graph: graph.mat_id)


def check_once(mat_ids: Iterable[str]) -> None:
    """Check that no material is in several shards.

    Raises
    ------
    UserError
        If one is.
    """
    repeated = [mat_id for mat_id, n in Counter(mat_ids).items() if n > 1]
    if repeated:
        raise UserError(
            f"{len(repeated)} materials are in several shards of graphs ({', '.join(sorted(repeated)[:5])}). "
            "The shards come from different runs: delete the folder of graphs and run again."
        )
