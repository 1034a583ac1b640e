"""Graphs of structure files, in batches."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from polyfacet.facets.graph.crystal_graph import CrystalGraph, build_graphs
from polyfacet.materials.cell_size import MAX_SITES, check_cell_size
from polyfacet.materials.crystal import Crystal, read_crystal
from polyfacet.runtime.rejects import Reject

# Crystals summed together; more bring no gain.
BATCH = 500


def graphs_of_files(
    cifs: Iterable[Path],
    settings: Mapping[str, Any],
    max_sites: int = MAX_SITES["graphs"],
    primitive: bool = True,
) -> tuple[list[CrystalGraph], list[Reject]]:
    """Build the graphs of materials.

    Parameters
    ----------
    cifs
        Files ``<mat_id>.cif``.
    settings
        Keyword arguments of `polyfacet.facets.graph.crystal_graph.build_graphs`.
    max_sites
        Largest number of atoms in a graph.
    primitive
        Whether graphs are made from the primitive cell, so that the choice of cell does not matter.

    Returns
    -------
    tuple of list
        The graphs, in the order of the files, and the materials without one.
    """
    graphs: list[CrystalGraph] = []
    rejects: list[Reject] = []
    crystals = _read_crystals(cifs, partial(read_crystal, primitive=primitive), max_sites, rejects)
    while batch := dict(islice(crystals, BATCH)):
        graphs.extend(build_graphs(batch, **settings))
    return graphs, rejects


def _read_crystals(
    cifs: Iterable[Path], read: Callable[[Path], Crystal], max_sites: int, rejects: list[Reject]
) -> Iterator[tuple[str, Crystal]]:
    """Yield the readable crystals, and add the others to the rejects."""
    for path in cifs:
        try:
            crystal = read(path)
            check_cell_size(len(crystal), max_sites, "graphs")
            yield path.stem, crystal
        except ValueError as error:
            rejects.append(Reject.because_of(path.stem, error))
