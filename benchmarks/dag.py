"""Time building the job graph for samples of growing size: a dry run with the full grid of cells.

Usage: python benchmarks/dag.py [--sizes 1000 10000 100000 1000000 5000000]
"""

import argparse
import re
import resource
import subprocess
import sys
import time
from pathlib import Path

PROJECT = Path(__file__).parents[1]
TOTAL = re.compile(r"^total\s+(\d+)$", re.MULTILINE)


def main() -> None:
    """Print a Markdown table of jobs and seconds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=[1_000, 10_000, 100_000, 1_000_000, 5_000_000]
    )
    options = parser.parse_args()
    print("| materials | jobs | wall s | cpu s |\n| ---: | ---: | ---: | ---: |")
    for size in options.sizes:
        before, start = children_cpu_s(), time.monotonic()
        n_jobs = dry_run(size)
        wall_s, cpu_s = time.monotonic() - start, children_cpu_s() - before
        print(f"| {size:,} | {n_jobs:,} | {wall_s:.1f} | {cpu_s:.1f} |", flush=True)


def dry_run(n_materials: int) -> int:
    """Count the jobs of a run without any results yet."""
    values = [
        "run_name=dag-benchmark",
        "sources=[embedded]",
        f"n_materials={n_materials}",
        "combinations=full",
    ]
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--dry-run", "--quiet", "rules"]
    done = subprocess.run(  # noqa: S603
        [*command, "--config", *values], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    return int(TOTAL.findall(done.stdout + done.stderr)[0])


def children_cpu_s() -> float:
    """Return the processor time of all processes that this one waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
