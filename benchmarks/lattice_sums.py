"""Time each step of a crystal to the network, on one core and on the GPU if there is one.

Prints Markdown tables: each step per crystal, compared with sums pair by pair; the error of single precision;
growth with the number of atoms and of crystals.

Usage: python benchmarks/lattice_sums.py [--crystals FILE.extxyz.gz] [--n 1000]
"""

import argparse
import gzip
import re
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from pymatgen.core import Element, Lattice, Structure
from torch_geometric.data import Batch

from polyfacet.facets.graph.crystal_graph import CrystalGraph, build_graphs
from polyfacet.facets.graph.embedding import make_network
from polyfacet.facets.graph.ewald_terms import DOUBLE, SINGLE, cutoffs, real_terms, reciprocal_terms
from polyfacet.facets.graph.lattice_sums import PAULI_ALPHA, lattice_sums, lattice_sums_of
from polyfacet.facets.graph.local_graph import local_graph
from polyfacet.facets.graph.network import network_input
from polyfacet.materials.cif import write_cif
from polyfacet.materials.crystal import Crystal, primitive_crystal, read_crystal

RANDOM_1K = Path("data/reference/data/alexandria_3d/alexandria_3d_random1k.extxyz.gz")
ATOMS = (2, 5, 10, 20, 40)
SHARDS = (1, 10, 100, 1000)
# Number of crystals for each row of growth with the number of atoms, and for slow steps.
FEW = 50
FORWARD_BATCH = 64
BALANCED_SPLIT = torch.pi


def main() -> None:
    """Print all tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--crystals", type=Path, default=RANDOM_1K)
    parser.add_argument("--n", type=int, default=1000, help="number of crystals")
    options = parser.parse_args()
    if not options.crystals.is_file():
        sys.exit(f"{options.crystals} is missing; pass an extended XYZ file (gzip) with --crystals")
    torch.set_num_threads(1)
    crystals = list(islice(read_extxyz(options.crystals), options.n))
    few = crystals[:FEW]
    graphs_of(few)  # warms up

    report_large_cell()
    report_steps(crystals, few)
    report_growth_with_atoms(crystals)
    report_growth_with_shard(crystals)
    if torch.cuda.is_available():
        report_gpu(crystals)


def milliseconds(action: Callable[[], object], n: int) -> float:
    """Measure an action on n crystals: processor time per crystal in ms."""
    start = time.process_time()
    action()
    return 1e3 * (time.process_time() - start) / n


def report_steps(crystals: list[Crystal], few: list[Crystal]) -> None:
    """Print the cost of each step, and the error of single precision."""
    graphs = graphs_of(few)
    with tempfile.TemporaryDirectory() as folder:
        cifs = [write(crystal, Path(folder) / f"{k}.cif") for k, crystal in enumerate(few)]
        steps: list[tuple[str, Callable[[], object], int]] = [
            ("read the CIF", lambda: [read_crystal(cif, primitive=False) for cif in cifs], len(few)),
            ("find the primitive cell", lambda: [primitive_crystal(crystal) for crystal in few], len(few)),
            ("lattice sums, double", lambda: lattice_sums_of(crystals, "coded"), len(crystals)),
            (
                "lattice sums, single",
                lambda: lattice_sums_of(crystals, "coded", precision=SINGLE),
                len(crystals),
            ),
            ("lattice sums, one by one", lambda: [lattice_sums(c, "coded") for c in crystals], len(crystals)),
            ("lattice sums, pair by pair", lambda: [sums_pair_by_pair(c) for c in few], len(few)),
            ("local graph", lambda: [local_graph(crystal) for crystal in crystals], len(crystals)),
            ("network, forward", lambda: forward(graphs, "cpu"), len(few)),
        ]
        print("| step | ms/crystal | crystals |\n| --- | ---: | ---: |")
        for name, action, n in steps:
            print(f"| {name} | {milliseconds(action, n):.2f} | {n} |", flush=True)
    for pauli in ("coded", "paper"):
        exact = lattice_sums_of(crystals, pauli)
        single = lattice_sums_of(crystals, pauli, precision=SINGLE)
        print(f"\nlargest error of single precision, Pauli as {pauli}: {worst_error(single, exact):.1e}")


def worst_error(sums: Sequence[torch.Tensor], exact: Sequence[torch.Tensor]) -> float:
    """Return the largest deviation as a share of the largest value of its term in its crystal."""
    return max(
        float(((a - b).abs().amax((0, 1)) / b.abs().amax((0, 1))).max())
        for a, b in zip(sums, exact, strict=True)
    )


def report_growth_with_atoms(crystals: list[Crystal]) -> None:
    """Print the cost of cells of several sizes; the available cells are repeated to equal numbers."""
    print("\n| atoms | different crystals | sums, double | sums, single | local graph |")
    print("| ---: | ---: | ---: | ---: | ---: |")
    for n_atoms in ATOMS:
        found = [crystal for crystal in crystals if len(crystal) == n_atoms][:FEW]
        if found:
            cells = (found * FEW)[:FEW]
            double = milliseconds(lambda: lattice_sums_of(cells, "coded"), FEW)  # noqa: B023 - called at once
            single = milliseconds(lambda: lattice_sums_of(cells, "coded", precision=SINGLE), FEW)  # noqa: B023
            local = milliseconds(lambda: [local_graph(crystal) for crystal in cells], FEW)  # noqa: B023
            print(f"| {n_atoms} | {len(found)} | {double:.2f} | {single:.2f} | {local:.2f} |", flush=True)


def report_growth_with_shard(crystals: list[Crystal]) -> None:
    """Print the cost per crystal in shards of several sizes, always with the same crystals."""
    print("\n| crystals at once | sums, double | sums, single | sums and local graph |")
    print("| ---: | ---: | ---: | ---: |")
    for size in SHARDS:
        if size <= len(crystals):
            shards = [crystals[start : start + size] for start in range(0, len(crystals), size)]
            double = milliseconds(lambda: [lattice_sums_of(s, "coded") for s in shards], len(crystals))  # noqa: B023
            single = milliseconds(
                lambda: [lattice_sums_of(s, "coded", precision=SINGLE) for s in shards],  # noqa: B023
                len(crystals),
            )
            graphs = milliseconds(lambda: [graphs_of(s) for s in shards], len(crystals))  # noqa: B023
            print(f"| {size} | {double:.2f} | {single:.2f} | {graphs:.2f} |", flush=True)


def report_large_cell() -> None:
    """Print time and memory of the sums of a cell of 200 atoms."""
    places = np.random.default_rng(0).permutation(6**3)[:200]
    coords = 2.5 * np.stack(np.unravel_index(places, (6, 6, 6)), axis=1)
    cell = Crystal(np.eye(3) * 15.0, coords, np.full(200, 14))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    time_ms = milliseconds(lambda: lattice_sums(cell, "coded"), 1)
    more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"200 atoms: {time_ms:.0f} ms; peak memory of the process rose by {more:.0f} MiB\n")


def report_gpu(crystals: list[Crystal]) -> None:
    """Print materials per second on the GPU, in wall time."""
    graphs = graphs_of(crystals)
    print(f"\n| on {torch.cuda.get_device_name()} | materials/s |\n| --- | ---: |")
    for name, action in (
        ("lattice sums, double", lambda: lattice_sums_of(crystals, "coded", precision=DOUBLE, device="cuda")),
        ("lattice sums, single", lambda: lattice_sums_of(crystals, "coded", precision=SINGLE, device="cuda")),
        ("network, forward", lambda: forward(graphs, "cuda")),
    ):
        action()
        torch.cuda.synchronize()
        start = time.perf_counter()
        action()
        torch.cuda.synchronize()
        print(f"| {name} | {len(crystals) / (time.perf_counter() - start):.0f} |", flush=True)


def graphs_of(crystals: Sequence[Crystal]) -> list[CrystalGraph]:
    """Compute sums and local graphs with the default settings."""
    named = {str(number): crystal for number, crystal in enumerate(crystals)}
    return build_graphs(named, pauli="coded", neighbours=16, min_radius=0.0)


def forward(graphs: Sequence[CrystalGraph], device: str) -> None:
    """Embed graphs, one batch at a time."""
    network = make_network("random", 0, [], torch.device(device))
    inputs = [network_input(graph) for graph in graphs]
    with torch.inference_mode():
        for start in range(0, len(inputs), FORWARD_BATCH):
            network(Batch.from_data_list(inputs[start : start + FORWARD_BATCH]).to(device))


def write(crystal: Crystal, path: Path) -> Path:
    """Write a CIF."""
    lattice = Lattice(crystal.lattice)
    write_cif(
        Structure(lattice, crystal.atomic_numbers, crystal.cart_coords, coords_are_cartesian=True), path
    )
    return path


def sums_pair_by_pair(crystal: Crystal) -> torch.Tensor:
    """Sum every ordered pair separately, to the same tolerance, in the given cell (constants omitted)."""
    length = crystal.volume ** (1 / 3)
    decay = PAULI_ALPHA * length**0.5
    lattice = torch.tensor(crystal.lattice / length)
    coords = torch.tensor(crystal.cart_coords / length)
    real_cutoff, reciprocal_cutoff = cutoffs(BALANCED_SPLIT, DOUBLE.tolerance)
    inverse = torch.linalg.inv(lattice)
    reach = real_cutoff * torch.linalg.vector_norm(inverse, dim=0)
    spread = (coords @ inverse).amax(0) - (coords @ inverse).amin(0)
    images = lattice_box(lattice, torch.ceil(reach + spread))
    waves = lattice_box(inverse.T, torch.ceil(reciprocal_cutoff * torch.linalg.vector_norm(lattice, dim=1)))
    waves = waves[waves.any(dim=1)]
    sums = torch.empty(len(coords), len(coords), 3, dtype=torch.float64)
    for i, first in enumerate(coords):
        for j, second in enumerate(coords):
            distance = torch.linalg.vector_norm(first - second + images, dim=-1)
            weights = reciprocal_terms((waves**2).sum(-1), BALANCED_SPLIT, decay)
            sums[i, j] = real_terms(distance[distance > 0], BALANCED_SPLIT, decay).sum(0)
            sums[i, j] += torch.cos(2 * torch.pi * waves @ (first - second)) @ weights
    return sums


def lattice_box(basis: torch.Tensor, bounds: torch.Tensor) -> torch.Tensor:
    """Return integer combinations of the basis rows up to a bound per row."""
    axes = [torch.arange(-int(n), int(n) + 1, dtype=basis.dtype) for n in bounds]
    return torch.cartesian_prod(*axes) @ basis


def read_extxyz(path: Path) -> Iterator[Crystal]:
    """Read the crystals of an extended XYZ file (gzip)."""
    with gzip.open(path, "rt") as file:
        for line in file:
            header = re.search('Lattice="([^"]+)"', next(file))
            if header is None:
                sys.exit(f"{path} has a frame without a Lattice")
            sites = [next(file).split() for _ in range(int(line))]
            yield Crystal(
                lattice=np.array(header[1].split(), dtype=np.float64).reshape(3, 3),
                cart_coords=np.array([site[1:4] for site in sites], dtype=np.float64),
                atomic_numbers=np.array([Element(site[0]).Z for site in sites]),
            )


if __name__ == "__main__":
    main()
