"""Time reading CIF files with a CSV of properties, compared with parsing the same files by pymatgen alone.

Usage: python benchmarks/structure_files.py [--n 10000] [--repeats 3] [--folder results/structure-files]

The crystals are those of the embedded entries, repeated with slightly larger cells.  Both ways use one
process and alternate; the ratio of their speeds is that of their least processor times, without starting
Python.
"""

import argparse
import bz2
import json
import resource
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Mapping
from pathlib import Path

from pymatgen.core import Structure
from pymatgen.io.cif import CifWriter

from polyfacet.config.run import EMBEDDED_ENTRIES
from polyfacet.runtime.files import atomic_path
from polyfacet.runtime.project_files import located
from polyfacet.sources.draw import Draw
from polyfacet.sources.reading import read_sample

# Relative growth of the cell from one copy of a crystal to the next.
GROWTH = 1e-3
FEWER = 10
WAYS = {"pymatgen": "pymatgen alone", "sample": "Polyfacet"}


def main() -> None:
    """Compare both ways, or go one of them in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=10_000, help="number of files")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path("results/structure-files"))
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way:
        go(options.way, options.folder)
        return
    few, all_files = (write_files(options.folder / str(n), n) for n in (options.n // FEWER, options.n))
    costs: dict[str, list[Mapping[str, float]]] = {way: [] for way in WAYS}
    for _ in range(options.repeats):
        for way, measured in costs.items():
            measured.append(measure(way, all_files))
    memory_of_few = measure("sample", few)["memory_mb"]
    report(options.n, costs, memory_of_few)


def write_files(folder: Path, n: int) -> Path:
    """Write CIF files with a CSV, unless they exist."""
    if folder.is_dir():
        return folder
    entries = json.loads(bz2.decompress(Path(located(EMBEDDED_ENTRIES)).read_bytes()))["entries"]
    structures = [Structure.from_dict(entry["structure"]) for entry in entries]
    with atomic_path(folder) as part:
        part.mkdir()
        for i in range(n):
            structure = structures[i % len(structures)].copy()
            structure.scale_lattice(structure.volume * (1 + GROWTH * (i // len(structures))))
            CifWriter(structure).write_file(part / f"c{i:07d}.cif")
        rows = (f"c{i:07d},{i * 1e-3:.4f}\n" for i in range(n))
        (part / "id_prop.csv").write_text("".join(rows))
    return folder


def go(way: str, folder: Path) -> None:
    """Read all files in one way."""
    start = time.process_time()
    if way == "sample":
        outputs = [folder.with_name(f"{folder.name}.{name}.parquet") for name in ("sample", "rejected")]
        read = read_sample([folder], *outputs, draw=Draw(None, 0))
        n = read.counts["sampled"]
    else:
        warnings.simplefilter("ignore")
        n = sum(len(Structure.from_file(path)) > 0 for path in sorted(folder.glob("*.cif")))
    cpu_s = time.process_time() - start
    memory_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    cost = {"n": n, "cpu_s": cpu_s, "memory_mb": memory_kb / 1024}
    print(json.dumps(cost))


def measure(way: str, folder: Path) -> dict[str, float]:
    """Return the costs of one way in a new process."""
    command = [sys.executable, __file__, "--way", way, "--folder", str(folder)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own command
    cost: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return cost


def report(n: int, costs: Mapping[str, list[Mapping[str, float]]], memory_of_few: float) -> None:
    """Print what was measured."""
    for way, name in WAYS.items():
        times = [cost["cpu_s"] for cost in costs[way]]
        memory = max(cost["memory_mb"] for cost in costs[way])
        print(
            f"{name}: {statistics.median(times):.1f} s of processor time ({min(times):.1f} to "
            f"{max(times):.1f}), {memory:.0f} MB for {costs[way][0]['n']:.0f} files"
        )
    least = {way: min(cost["cpu_s"] for cost in measured) for way, measured in costs.items()}
    print(f"speed: {least['pymatgen'] / least['sample']:.2f} of pymatgen alone, in the least disturbed runs")
    print(f"memory of Polyfacet for {n // FEWER} files: {memory_of_few:.0f} MB")


if __name__ == "__main__":
    main()
