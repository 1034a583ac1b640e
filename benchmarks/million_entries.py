"""Time sampling all of very many entries, compared with decompressing and parsing the same files.

Usage: python benchmarks/million_entries.py SOURCE... [--sizes 1000 10000 100000 1000000]
           [--threads 2] [--folder results/million-entries]

The entries are those of the sources, repeated with new identifiers, in bz2 files of 20,000.  Existing files
and measurements in the folder are kept: rerun the same command to resume.
"""

import argparse
import bz2
import json
import resource
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import matplotlib.pyplot as plt
import psutil

from polyfacet.runtime.files import atomic_path, write_text
from polyfacet.sources.alexandria.entries import read_entries
from polyfacet.sources.alexandria.entry_files import entry_files

FILE_ENTRIES = 20_000
PARSE_SCRIPT = Path(__file__).with_name("parse_entries.py")
SAMPLE_SCRIPT = Path(__file__).parents[1] / "workflow" / "scripts" / "sample.py"
POLL_S = 0.1
WAYS = {"parse": "decompress and parse", "sample": "sample all"}


@dataclass(frozen=True)
class Cost:
    """Cost of a command."""

    wall_s: float
    # Processor time of the command and its processes, which other programs affect little.
    cpu_s: float
    # Peak of the processes' total memory, with shared pages divided among them.
    memory_mb: float


def main() -> None:
    """Take the missing measurements, and print and plot all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sources", type=Path, nargs="+", help="entry files, or folders of them")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--threads", type=int, default=2, help="processes of both methods")
    parser.add_argument("--folder", type=Path, default=Path("results/million-entries"))
    options = parser.parse_args()
    measured: dict[str, dict[str, dict[str, float]]] = {}
    record = options.folder / f"costs-{options.threads}.json"
    if record.exists():
        measured = json.loads(record.read_text())
    for size in options.sizes:
        files = write_entries(options.sources, size, options.folder / str(size), options.threads)
        for way, command in commands(files, options).items():
            if way not in measured.setdefault(str(size), {}):
                measured[str(size)][way] = asdict(measure(command))
                write_text(record, json.dumps(measured, indent=2) + "\n")
    print_table(measured, options.threads)
    plot(measured, options.folder / "growth.png")


def commands(files: Sequence[Path], options: argparse.Namespace) -> dict[str, list[str]]:
    """Return the command line of each method."""
    outputs = {name: options.folder / f"sample.{name}" for name in ("sample", "rejected", "summary")}
    settings = {
        "sources": json.dumps([str(path) for path in files]),
        **outputs,
        "n_materials": "all",
        "seed": 1,
        "filters": "{}",
        "magnetization": "absolute",
        "max_rejected_fraction": 0,
        "threads": options.threads,
    }
    return {
        "parse": [sys.executable, str(PARSE_SCRIPT), str(options.threads), *map(str, files)],
        "sample": [
            sys.executable,
            str(SAMPLE_SCRIPT),
            *(f"--{name}={value}" for name, value in settings.items()),
        ],
    }


def write_entries(sources: Sequence[Path], size: int, folder: Path, threads: int) -> list[Path]:
    """Write ``size`` synthetic entries, in at least as many files as there are threads."""
    per_file = min(FILE_ENTRIES, -(-size // threads))
    parts = [range(start, min(start + per_file, size)) for start in range(0, size, per_file)]
    files = [folder / f"{part.start:07d}.json.bz2" for part in parts]
    with ProcessPoolExecutor(threads) as pool:
        for path, part in zip(files, parts, strict=True):
            if not path.exists():
                pool.submit(write_file, path, part, tuple(sources))
    return files


def write_file(path: Path, numbers: range, sources: tuple[Path, ...]) -> None:
    """Write the synthetic entries with the given numbers."""
    originals = templates(sources)
    texts = (
        text.replace(mat_id, f"syn{number:07d}")
        for number in numbers
        for mat_id, text in [originals[number % len(originals)]]
    )
    with atomic_path(path) as part, bz2.open(part, "wt", compresslevel=9) as stream:
        stream.write('{"entries": [' + ", ".join(texts) + "]}")


@cache
def templates(sources: tuple[Path, ...]) -> list[tuple[str, str]]:
    """Return the identifier and text of all entries of the sources."""
    entries = (entry for path in entry_files(sources).files for _, entry in read_entries(path))
    return [(entry["data"]["mat_id"], json.dumps(entry)) for entry in entries]


def measure(command: Sequence[str]) -> Cost:
    """Run a command to completion and monitor its processes."""
    before = children_cpu_s()
    start = time.monotonic()
    process = psutil.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peak = 0
    while process.poll() is None:
        peak = max(peak, memory_bytes(process))
        time.sleep(POLL_S)
    if process.returncode:
        raise RuntimeError(f"{command} exited with status {process.returncode}")
    return Cost(time.monotonic() - start, children_cpu_s() - before, peak / 1e6)


def children_cpu_s() -> float:
    """Return the processor time of all processes that this one waited for, and that those waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def memory_bytes(process: psutil.Process) -> int:
    """Sum the memory of a process and its descendants that are still running."""
    total = 0
    with suppress(psutil.Error):
        for member in (process, *process.children(recursive=True)):
            total += member.memory_full_info().pss
    return total


def print_table(measured: Mapping[str, Mapping[str, Mapping[str, float]]], threads: int) -> None:
    """Print a Markdown table of all measurements."""
    print(f"| entries | way, {threads} processes | wall s | cpu s | entries per cpu s | peak MB |")
    print("| ---: | --- | ---: | ---: | ---: | ---: |")
    for size, costs in measured.items():
        for way, cost in costs.items():
            numbers = f"{cost['wall_s']:.1f} | {cost['cpu_s']:.1f} | {int(size) / cost['cpu_s']:,.0f}"
            print(f"| {int(size):,} | {WAYS[way]} | {numbers} | {cost['memory_mb']:.0f} |")
    for size, costs in measured.items():
        speeds = {unit: costs["parse"][unit] / costs["sample"][unit] for unit in ("wall_s", "cpu_s")}
        print(f"{int(size):,} entries: speed {speeds['wall_s']:.2f} (wall), {speeds['cpu_s']:.2f} (cpu)")


def plot(measured: Mapping[str, Mapping[str, Mapping[str, float]]], path: Path) -> None:
    """Draw how time and memory grow with the number of entries."""
    figure, axes = plt.subplots(1, 2, figsize=(8, 3.5), layout="constrained")
    sizes = sorted(map(int, measured))
    for axis, unit, label in zip(
        axes, ("cpu_s", "memory_mb"), ("cpu time (s)", "peak memory (MB)"), strict=True
    ):
        for way, name in WAYS.items():
            axis.loglog(sizes, [measured[str(size)][way][unit] for size in sizes], "o-", label=name)
        axis.set(xlabel="entries", ylabel=label)
    axes[0].legend(frameon=False)
    figure.savefig(path, dpi=150)
    print(path)


if __name__ == "__main__":
    main()
