"""Count the edges of local graphs that cross vacuum.

Usage: python benchmarks/edges_across_vacuum.py
           [--entries FILE_OR_FOLDER ...] [--n 100]

Entries are taken in the order of the sample with seed 0, from the embedded ones unless others are given.
"""

import argparse
import json
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import scripts_path  # noqa: F401
from pymatgen.core import Structure

import sample
from polyfacet.facets.graph.local_graph import local_graph
from polyfacet.materials.crystal import Crystal, crystal_from_structure, primitive_crystal
from polyfacet.materials.material import SAMPLE
from polyfacet.materials.vacuum import vacuum_of
from polyfacet.runtime.parquet import read_table

EMBEDDED = Path(__file__).resolve().parents[1] / "embedded" / "entries.json.bz2"


def structures(sources: list[Path], n: int) -> list[str]:
    """Sample entries and return their structures as JSON."""
    with TemporaryDirectory() as folder:
        outputs = [Path(folder) / name for name in ("sample.parquet", "rejected.parquet", "summary.json")]
        settings = {"seed": 0, "filters": {}, "magnetization": "absolute", "max_rejected_fraction": 1.0}
        sample.main(sources, *outputs, n_materials=n, **settings)
        return list(read_table(outputs[0], SAMPLE)["structure"])


def edges(crystal: Crystal, *, across_vacuum: bool) -> Counter[tuple[int, int, float]]:
    """Count the edges of a local graph by their atoms and length (1e-5 A)."""
    graph = local_graph(crystal, across_vacuum=across_vacuum)
    return Counter(zip(graph.source, graph.target, graph.distance.round(5), strict=True))


def main() -> None:
    """Print how many crystals have vacuum, and how many edges cross it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=Path, nargs="+", default=[EMBEDDED])
    parser.add_argument("--n", type=int, default=100)
    asked = parser.parse_args()
    with_vacuum = crossed = n_edges = n_across = n_crystals = 0
    for text in structures(asked.entries, asked.n):
        crystal = primitive_crystal(crystal_from_structure(Structure.from_dict(json.loads(text))))
        every = edges(crystal, across_vacuum=True)
        across = (every - edges(crystal, across_vacuum=False)).total()
        n_crystals += 1
        with_vacuum += bool(len(vacuum_of(crystal).normals))
        crossed += across > 0
        n_edges += every.total()
        n_across += across
    print(
        f"{n_crystals} crystals, {with_vacuum} of them with vacuum; edges across it in {crossed}, "
        f"{n_across / n_edges:.1%} of all edges"
    )


if __name__ == "__main__":
    main()
