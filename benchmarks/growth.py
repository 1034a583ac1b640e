"""Raise the number of materials of a run; print the results each stage made and kept, and its time.

Runs the workflow up to the dataset for one sample after another, in `results/<run name>`, which must not
exist.

Usage: python benchmarks/growth.py --sources data/reference/data/alexandria_1d --cores 2
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd

PROJECT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Run all samples, and print a table after each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sources", default=str(PROJECT / "data" / "reference" / "data" / "alexandria_1d"))
    parser.add_argument("--n", type=int, nargs="+", default=[1000, 2000], help="sizes of the samples")
    parser.add_argument("--shard-size", type=int, default=500)
    parser.add_argument("--run-name", default="growth")
    parser.add_argument("--cores", type=int, default=1)
    options = parser.parse_args()
    results = PROJECT / "results" / options.run_name
    if results.exists():
        sys.exit(f"{results} already exists; delete it or choose another --run-name")
    for n_materials in options.n:
        start = time.monotonic()
        run_to_dataset(n_materials, options)
        print(f"\n{n_materials} materials: {time.monotonic() - start:.0f} s\n", flush=True)
        print_stages(results)


def run_to_dataset(n_materials: int, options: argparse.Namespace) -> None:
    """Run the workflow up to the dataset."""
    settings = [
        f"sources=[{options.sources}]",
        f"n_materials={n_materials}",
        f"shard_size={options.shard_size}",
        f"run_name={options.run_name}",
        "images={size: 64, sphere_segments: 12}",
        "graphs={embedding: random}",
    ]
    command = [
        "-m",
        "snakemake",
        "--cores",
        str(options.cores),
        "--until",
        "gather_dataset",
        "--quiet",
        "all",
    ]
    subprocess.run([sys.executable, *command, "--config", *settings], cwd=PROJECT, check=True)  # noqa: S603


def print_stages(results: Path) -> None:
    """Print the counts and the time of the jobs of each per-material stage."""
    print("| stage | made | kept | s | s of processor time |\n| --- | ---: | ---: | ---: | ---: |")
    found = {path.parent for path in results.rglob("shard-*.provenance.json")}
    for stage in sorted(found):
        said = [json.loads(path.read_text()) for path in stage.glob("shard-*.provenance.json")]
        jobs = (results / "benchmarks" / stage.relative_to(results)).glob("shard-*.tsv")
        took = pd.concat([pd.read_csv(job, sep="\t") for job in jobs])[["s", "cpu_time"]].sum()
        counts = [sum(counts[name] for counts in said) for name in ("made", "kept")]
        name = stage.relative_to(results).as_posix()
        print(
            f"| {name} | {counts[0]} | {counts[1]} | {took['s']:.0f} | {took['cpu_time']:.0f} |", flush=True
        )


if __name__ == "__main__":
    main()
