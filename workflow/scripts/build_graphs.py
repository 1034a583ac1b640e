"""Compute the lattice sums and the local graph of each material of a shard."""

from pathlib import Path
from typing import Annotated

import torch

from polyfacet.config.graphs import PauliDecay
from polyfacet.facets.graph.crystal_graph import GRAPHS
from polyfacet.facets.graph.making import graphs_of_files
from polyfacet.materials.cell_size import MAX_SITES
from polyfacet.materials.stage_tables import intact_structures
from polyfacet.runtime.arguments import Key
from polyfacet.runtime.kept_results import KeptResults
from polyfacet.runtime.progress import track
from polyfacet.runtime.rejects import record_rejects


def main(
    structures: Path,
    materials: Path,
    graphs: Path,
    rejected: Path,
    *,
    provenance: Path,
    pauli: Annotated[PauliDecay, Key("graphs.pauli")],
    neighbours: Annotated[int, Key("graphs.neighbours")],
    min_radius: Annotated[float, Key("graphs.min_radius")],
    max_rejected_fraction: Annotated[float, Key("max_rejected_fraction")],
    across_vacuum: Annotated[bool, Key("graphs.across_vacuum")] = True,
    max_sites: Annotated[int, Key("max_sites.graphs")] = MAX_SITES["graphs"],
    primitive: bool = True,
    kept: Path | None = None,
    code: str = "",
) -> None:
    """Build the graphs of one shard.

    Parameters
    ----------
    structures
        Folder of ``<mat_id>.cif``.
    materials
        Table of the materials and the digests of their CIFs.
    graphs, rejected
        Outputs: the graphs; the materials without a graph, with reasons.
    provenance
        Output: JSON with the numbers of results made and kept.
    pauli
        See `polyfacet.facets.graph.lattice_sums.lattice_sums`.
    neighbours, min_radius, across_vacuum
        See `polyfacet.facets.graph.local_graph.local_graph`.
    max_rejected_fraction
        Fraction of rejects above which the stage fails.
    max_sites
        Largest number of atoms in a graph.
    primitive
        Whether graphs are made from the primitive cell, so that the choice of cell does not matter.
    kept, code
        Record of this shard and digest of the code; see `polyfacet.runtime.kept_results.KeptResults`.
    """
    # Floating-point sums depend on the thread count; shards run in parallel instead.
    torch.set_num_threads(1)
    made_of = intact_structures(materials, structures)
    settings = {
        "pauli": pauli,
        "neighbours": neighbours,
        "min_radius": min_radius,
        "across_vacuum": across_vacuum,
    }
    recipe = {"code": code, "max_sites": max_sites, "primitive": primitive, **settings}
    results = KeptResults(kept, GRAPHS, recipe, made_of, script=Path(__file__))
    paths = [structures / f"{mat_id}.cif" for mat_id in sorted(results.reuse())]
    cifs = track(paths, f"graphs {graphs.stem}")
    built, rejects = graphs_of_files(cifs, settings, max_sites, primitive)
    record_rejects(rejected, rejects, len(made_of), max_rejected_fraction, "graphs")
    results.write(graphs, provenance, [graph.row() for graph in built])


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
