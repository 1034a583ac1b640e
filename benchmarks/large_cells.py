"""Measure the cost of large cells: time and peak memory of each stage by the number of sites.

Usage: python benchmarks/large_cells.py [--stages graph scene] [--sites 100 200 400]

Each stage has a separate process, which handles the sizes in ascending order.  The crystals have no symmetry,
two elements and a typical density.
"""

# Each process imports only what its stage needs, as imports take memory, too.
# ruff: noqa: PLC0415

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pymatgen.core import Lattice, Structure

from polyfacet.materials.cif import read_cif, write_cif

if TYPE_CHECKING:
    from polyfacet.facets.graph.crystal_graph import CrystalGraph

VOLUME_PER_SITE_A3 = 15.0
WIDTH = 128


def crystal(n_sites: int) -> Structure:
    """Return a distorted simple cubic lattice without symmetry."""
    spacing = VOLUME_PER_SITE_A3 ** (1 / 3)
    edge = int(np.ceil(n_sites ** (1 / 3)))
    shape = (edge, edge, -(-n_sites // edge**2))
    places = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), axis=-1).reshape(-1, 3)[:n_sites]
    coords = (places + np.random.default_rng(0).uniform(-0.15, 0.15, places.shape)) / shape
    species = ["Mg" if number % 2 else "O" for number in range(n_sites)]
    return Structure(Lattice(np.diag(shape) * spacing), species, coords)


def peak_mb() -> float:
    """Return the peak memory of this process, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def graph_of(cif: Path) -> "CrystalGraph":
    """Build the graph of a crystal."""
    from polyfacet.facets.graph.crystal_graph import build_graphs
    from polyfacet.materials.crystal import read_crystal

    crystals = {"x": read_crystal(cif, primitive=True)}
    (graph,) = build_graphs(crystals, pauli="coded", neighbours=16, min_radius=0.0)
    graph.row()
    return graph


def embed_one(cif: Path) -> None:
    """Embed the graph of a crystal."""
    from polyfacet.facets.graph.embedding import embed
    from polyfacet.facets.graph.network import NetworkConfig, PotNet

    list(embed(PotNet(NetworkConfig(width=WIDTH)).eval(), [graph_of(cif)]))


def train_one(cif: Path) -> None:
    """Run the forward and backward pass of a training step on this crystal alone."""
    from polyfacet.facets.graph.network import NetworkConfig, PotNet, network_input

    PotNet(NetworkConfig(width=WIDTH)).train()(network_input(graph_of(cif))).sum().backward()


def scene(cif: Path) -> None:
    """Find the bonds and build the scene."""
    from polyfacet.facets.image.cif_scene import scene_of_cif
    from polyfacet.facets.image.settings import RenderSettings

    scene_of_cif(cif, RenderSettings())


def short_cif(cif: Path) -> None:
    """Write the short CIF."""
    from polyfacet.facets.text.compact_cif import compact_cif

    compact_cif(read_cif(cif))


def sentences(cif: Path) -> None:
    """Write Robocrystallographer's sentences."""
    from polyfacet.facets.text.robocrystallographer import Describer

    Describer()(read_cif(cif))


STAGES: dict[str, Callable[[Path], None]] = {
    "structure": lambda cif: write_cif(read_cif(cif), cif),
    "graph": lambda cif: [graph_of(cif)].clear(),
    "embedding": embed_one,
    "training": train_one,
    "scene": scene,
    "cif": short_cif,
    "robocrystallographer": sentences,
}


def measure(stage: str, sizes: list[int]) -> None:
    """Print time and memory of one stage for cells of several sizes."""
    with tempfile.TemporaryDirectory() as folder:
        cif = Path(folder) / "x.cif"
        write_cif(crystal(8), cif)
        STAGES[stage](cif)  # imports
        base = peak_mb()
        for n_sites in sorted(sizes):
            write_cif(crystal(n_sites), cif)
            start = time.process_time()
            STAGES[stage](cif)
            seconds, mb = time.process_time() - start, peak_mb() - base
            print(
                f"| {stage} | {n_sites} | {seconds:.1f} | {mb:.0f} | {1e6 * mb / n_sites**2:.0f} |",
                flush=True,
            )


def main() -> None:
    """Print a table of the requested stages and sizes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sites", type=int, nargs="+", default=[100, 200, 400])
    parser.add_argument("--stages", nargs="+", default=list(STAGES), choices=STAGES)
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.here:
        measure(asked.stages[0], asked.sites)
        return
    print("| stage | sites | processor time, s | more memory, MB | bytes per pair of sites |")
    print("| --- | ---: | ---: | ---: | ---: |", flush=True)
    for stage in asked.stages:
        sizes = map(str, asked.sites)
        command = [sys.executable, __file__, "--here", "--stages", stage, "--sites", *sizes]
        subprocess.run(command, check=False)  # noqa: S603 - this script again


if __name__ == "__main__":
    main()
