"""Measure the overhead of a run: starts of jobs that train cells, and calls with nothing to do.

Usage: python benchmarks/overhead.py FOLDER [--configfile config/test.yaml --run test]

FOLDER is a clone of the project: a fresh one to time the complete run, or one with a finished run for the
other measurements only.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from csv import DictReader
from pathlib import Path
from typing import NamedTuple


class Used(NamedTuple):
    """Seconds of a command."""

    wall_s: float
    cpu_s: float


def main() -> None:
    """Print the time of the run, the overhead of training jobs, and the time of a call with nothing to do."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--configfile", nargs="+", default=[], help="as for Snakemake")
    parser.add_argument("--run", default="default", help="`run_name` of the configuration")
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--times", type=int, default=5, help="how often a call with nothing to do is timed")
    options = parser.parse_args()
    configured = ["--configfile", *options.configfile] if options.configfile else []
    command = [sys.executable, "-m", "snakemake", "--cores", str(options.cores)]
    whole = used(options.folder, [*command, *configured])
    print(f"the run: {whole.cpu_s / 60:.1f} core-minutes, {whole.wall_s / 60:.1f} minutes\n")
    print_overhead_of_cells(options.folder / "results" / options.run)
    with tempfile.TemporaryDirectory() as name:
        Path(name, "Snakefile").touch()
        calls = {"an empty Snakefile": (Path(name), command)}
        calls["the finished run"] = (options.folder, [*command, *configured])
        print("\n| nothing to be done in | wall s | cpu s |\n| --- | ---: | ---: |")
        for what, (folder, call) in calls.items():
            times = [used(folder, call) for _ in range(options.times)]
            wall_s, cpu_s = map(statistics.median, zip(*times, strict=True))
            print(f"| {what} | {wall_s:.2f} | {cpu_s:.2f} |")


def print_overhead_of_cells(results: Path) -> None:
    """Compare the time of the jobs that train cells with the training times on their cards."""
    print("| jobs that train cells | jobs | cells | s | s of training | overhead |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    jobs_s, cells_s = defaultdict(list), defaultdict(list)
    for table in results.glob("benchmarks/*/*/cells/**/*.tsv"):
        method = table.relative_to(results / "benchmarks").with_suffix("").parts[3]
        for name in (method, "all"):
            jobs_s[name].append(seconds_of_job(table))
    for path in results.glob("*/*/cells/*/*/*/card.json"):
        card = json.loads(path.read_text(encoding="utf-8"))
        for name in (card["method"], "all"):
            cells_s[name].append(card["cost"]["wall_time_s"])
    for name in sorted(jobs_s, key=lambda name: (name == "all", name)):
        print_overhead(name, jobs_s[name], cells_s[name])


def print_overhead(what: str, jobs_s: Sequence[float], cells_s: Sequence[float]) -> None:
    """Print a row of the table."""
    share = 1 - sum(cells_s) / sum(jobs_s)
    numbers = f"{len(jobs_s)} | {len(cells_s)} | {sum(jobs_s):.0f} | {sum(cells_s):.0f}"
    print(f"| {what} | {numbers} | {share:.0%} |")


def seconds_of_job(table: Path) -> float:
    """Read the wall time of a job from Snakemake's table."""
    with table.open(encoding="utf-8") as stream:
        return sum(float(row["s"]) for row in DictReader(stream, delimiter="\t"))


def used(folder: Path, command: Sequence[str]) -> Used:
    """Run a command in a folder, and measure it including all processes that it waits for."""
    before, start = children_cpu_s(), time.monotonic()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        sys.exit(done.stderr[-2000:])
    return Used(time.monotonic() - start, children_cpu_s() - before)


def children_cpu_s() -> float:
    """Return the processor time of all processes that this one waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
