"""Time the lattice sums of real crystals on one core, and compare them with summing pair by pair.

Usage: PYTHONPATH=workflow python benchmarks/lattice_sums.py [--crystals FILE.extxyz.gz] [--n 200]
"""

import argparse
import gzip
import itertools
import re
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from pymatgen.core import Element

from polyfacet.structure_facet.crystal import Crystal
from polyfacet.structure_facet.lattice_sums import (
    PAULI_ALPHA,
    TOLERANCE,
    cutoffs,
    lattice_points,
    lattice_sums,
    real_terms,
    reciprocal_terms,
)

RANDOM_1K = Path("shared/data/alexandria_3d/alexandria_3d_random1k.extxyz.gz")
BALANCED_SPLIT = torch.pi
LARGEST_FOR_BASELINE = 20


def main() -> None:
    """Print milliseconds per crystal, their growth with the number of atoms, and the gain."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--crystals", type=Path, default=Path(__file__).resolve().parents[2] / RANDOM_1K)
    parser.add_argument("--n", type=int, default=200, help="number of crystals")
    options = parser.parse_args()
    if not options.crystals.is_file():
        sys.exit(f"{options.crystals} is not there; name an extended XYZ file (gzip) with --crystals")
    torch.set_num_threads(1)
    crystals = [crystal for crystal, _ in zip(read_extxyz(options.crystals), range(options.n), strict=False)]
    lattice_sums(crystals[0], "coded")

    seconds = [timed(lambda crystal: lattice_sums(crystal, "coded"), crystal) for crystal in crystals]
    print(f"{len(crystals)} crystals: {1e3 * statistics.mean(seconds):.2f} ms on average")
    report_growth(crystals, seconds)
    small = [k for k, crystal in enumerate(crystals) if len(crystal) <= LARGEST_FOR_BASELINE][:20]
    baseline = sum(timed(sums_pair_by_pair, crystals[k]) for k in small)
    gain = baseline / sum(seconds[k] for k in small)
    print(
        f"pair by pair: {1e3 * baseline / len(small):.1f} ms over {len(small)} crystals, {gain:.0f} x slower"
    )


def timed(action: Callable[[Crystal], object], crystal: Crystal) -> float:
    """Measure one call in seconds of this core's time, which other programs do not change."""
    start = time.process_time()
    action(crystal)
    return time.process_time() - start


def report_growth(crystals: list[Crystal], seconds: list[float]) -> None:
    """Print the average per size class."""
    print("  atoms  crystals  ms/crystal  us/pair")
    bounds = [1, 3, 5, 9, 17, 33, 65, 10**6]
    for low, high in itertools.pairwise(bounds):
        chosen = [(len(c), s) for c, s in zip(crystals, seconds, strict=True) if low <= len(c) < high]
        if chosen:
            per_pair = sum(s for _, s in chosen) / sum(n * n for n, _ in chosen)
            mean = statistics.mean(s for _, s in chosen)
            label = f"{low}-{high - 1}" if high < bounds[-1] else f">={low}"
            print(f"{label:>7}  {len(chosen):8d}  {1e3 * mean:10.2f}  {1e6 * per_pair:7.1f}")


def sums_pair_by_pair(crystal: Crystal) -> torch.Tensor:
    """Sum every ordered pair by itself, to the same tolerance, in the cell as given (left: constants)."""
    length = crystal.volume ** (1 / 3)
    decay = PAULI_ALPHA * length**0.5
    lattice = torch.tensor(crystal.lattice / length)
    coords = torch.tensor(crystal.cart_coords / length)
    real_cutoff, reciprocal_cutoff = cutoffs(BALANCED_SPLIT, TOLERANCE)
    inverse = torch.linalg.inv(lattice)
    reach = real_cutoff * torch.linalg.vector_norm(inverse, dim=0)
    spread = (coords @ inverse).amax(0) - (coords @ inverse).amin(0)
    images = lattice_points(lattice, torch.ceil(reach + spread))
    waves = lattice_points(
        inverse.T, torch.ceil(reciprocal_cutoff * torch.linalg.vector_norm(lattice, dim=1))
    )
    waves = waves[waves.any(dim=1)]
    sums = torch.empty(len(coords), len(coords), 3, dtype=torch.float64)
    for i, first in enumerate(coords):
        for j, second in enumerate(coords):
            distance = torch.linalg.vector_norm(first - second + images, dim=-1)
            weights = reciprocal_terms((waves**2).sum(-1), BALANCED_SPLIT, decay)
            sums[i, j] = real_terms(distance[distance > 0], BALANCED_SPLIT, decay).sum(0)
            sums[i, j] += torch.cos(2 * torch.pi * waves @ (first - second)) @ weights
    return sums


def read_extxyz(path: Path) -> Iterator[Crystal]:
    """Read the crystals of an extended XYZ file (gzip)."""
    with gzip.open(path, "rt") as file:
        for line in file:
            header = re.search('Lattice="([^"]+)"', next(file))
            if header is None:
                sys.exit(f"{path} has a frame without Lattice")
            sites = [next(file).split() for _ in range(int(line))]
            yield Crystal(
                lattice=np.array(header[1].split(), dtype=np.float64).reshape(3, 3),
                cart_coords=np.array([site[1:4] for site in sites], dtype=np.float64),
                atomic_numbers=np.array([Element(site[0]).Z for site in sites]),
            )


if __name__ == "__main__":
    main()
