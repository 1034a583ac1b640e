"""Measure the search for twins among distorted large cells against plain pymatgen.

Usage: python benchmarks/twins.py [--noise 0.03 0.04] [--n 2] [--entries FILE]

Each cell is a multiple of 216 sites with atoms displaced at random, as heat does (standard deviation along
each axis, A); half of them are rotated and permuted copies of the others.  The plain method takes pymatgen's
primitive and reduced cell of each, and its StructureMatcher on each pair with the same number of sites, with
the tolerances of the search.  Both find the same pairs.  With entries, their crystals of 2 to 8 sites are
multiplied instead of silicon and rock salt.  The ratio is of processor times of one process.
"""

import argparse
import itertools
import json
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from pymatgen.core import Lattice, Structure

from polyfacet.materials.matching import match
from polyfacet.materials.twin_cells import PRIMITIVE_WITHIN_A, Candidate
from polyfacet.materials.twins import twin_groups
from polyfacet.sources.alexandria.entries import read_entries

N_SITES = 216
MAX_ENTRIES = 3


def crystals(entries: Path | None) -> Iterator[tuple[str, Structure]]:
    """Yield names and multiples, with about the same number of sites, of small crystals."""
    if entries is None:
        for group, edge, species, coords in (
            ("Fd-3m", 5.43, ["Si"], [[0, 0, 0]]),
            ("Fm-3m", 5.64, ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]]),
        ):
            cell = Structure.from_spacegroup(group, Lattice.cubic(edge), species, coords)
            yield cell.reduced_formula, cell.make_supercell(3)
        return
    small = (Structure.from_dict(entry["structure"]) for _, entry in read_entries(entries))
    fitting = (cell for cell in small if 2 <= len(cell) <= 8 and N_SITES % len(cell) == 0)
    for cell in itertools.islice(fitting, MAX_ENTRIES):
        yield cell.reduced_formula, cell.make_supercell(shape(cell, N_SITES // len(cell)))


def shape(cell: Structure, n_cells: int) -> list[int]:
    """Return the multiple whose edges are most similar."""
    divisors = [i for i in range(1, n_cells + 1) if n_cells % i == 0]
    shapes = [(a, b, n_cells // (a * b)) for a in divisors for b in divisors if n_cells % (a * b) == 0]
    return list(min(shapes, key=lambda multiple: float(np.ptp(np.multiply(multiple, cell.lattice.abc)))))


def displaced(cell: Structure, noise: float, rng: np.random.Generator) -> Structure:
    """Displace the atoms at random."""
    coords = cell.cart_coords + rng.normal(scale=noise, size=(len(cell), 3))
    return Structure(cell.lattice, cell.species, coords, coords_are_cartesian=True)


def turned(cell: Structure, rng: np.random.Generator) -> Structure:
    """Rotate and shift a crystal, and permute its sites."""
    rotation = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    order = rng.permutation(len(cell))
    coords = cell.frac_coords[order] + rng.uniform(size=3)
    return Structure(cell.lattice.matrix @ rotation, [cell.species[i] for i in order], coords)


def plain_pairs(cells: dict[str, Structure]) -> set[tuple[str, str]]:
    """Pair cells with pymatgen alone."""
    reduced = {
        name: cell.get_primitive_structure(PRIMITIVE_WITHIN_A).get_reduced_structure("niggli")
        for name, cell in cells.items()
    }
    return {
        (first, second)
        for first, second in itertools.combinations(sorted(cells), 2)
        if len(reduced[first]) == len(reduced[second]) and match(reduced[first], reduced[second])
    }


def measure(name: str, cell: Structure, noise: float, n: int) -> None:
    """Print the times of both methods for some cells, and check that they find the same pairs."""
    rng = np.random.default_rng(0)
    cells = {f"m{i}": displaced(cell, noise, rng) for i in range(n)}
    cells |= {f"{mat_id}-turned": turned(moved, rng) for mat_id, moved in cells.items()}
    materials = [Candidate(mat_id, json.dumps(moved.as_dict())) for mat_id, moved in cells.items()]
    start = time.process_time()
    groups, uncertain = twin_groups(materials)
    fast_s = time.process_time() - start
    start = time.process_time()
    joined = plain_pairs(cells)
    plain_s = time.process_time() - start
    of = {mat_id: min(group) for group in groups for mat_id in group}
    agree = not uncertain and all(of.get(first) == of.get(second, "") for first, second in joined)
    agree &= len(groups) == len({min(pair) for pair in joined} - {pair[1] for pair in joined})
    print(
        f"| {name} | {len(cell)} | {noise} | {len(cells)} | {len(groups)} | {plain_s:.1f} | {fast_s:.2f} | "
        f"{plain_s / fast_s:.0f} | {'yes' if agree else 'NO'} |",
        flush=True,
    )


def main() -> None:
    """Print a table of both methods."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--noise", type=float, nargs="+", default=[0.03, 0.04])
    parser.add_argument("--n", type=int, default=2)
    parser.add_argument("--entries", type=Path)
    asked = parser.parse_args()
    print("| crystal | sites | noise, A | cells | groups | pymatgen, s | search, s | ratio | same pairs |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |", flush=True)
    for (name, cell), noise in itertools.product(crystals(asked.entries), asked.noise):
        measure(name, cell, noise, asked.n)


if __name__ == "__main__":
    main()
