"""Estimate the costs of the stages from two runs of different sizes, and project them to a large sample.

Usage: python benchmarks/stage_costs.py results/<small run> results/<large run> [--materials 5000000]
           [--shard-size 10000] [--cores 512]

The runs differ only in `n_materials`.  A stage's processor time is modelled as a cost per job (start-up) and
a cost per material, both derived from the two runs.
"""

import argparse
import json
import math
import re
from pathlib import Path

import pandas as pd

# Parts of a benchmark's path that differ between the jobs of a stage.
SHARD = re.compile(r"/shard-\d+$")
REPEAT = re.compile(r"^split-\d+/")
CELL = re.compile(r"^(cells|baselines)/.*")


def main() -> None:
    """Print a Markdown table of all stages."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", type=Path, nargs=2, help="folders of the runs' results")
    parser.add_argument("--materials", type=int, default=5_000_000, help="materials of the projection")
    parser.add_argument("--shard-size", type=int, default=10_000, help="shard size of the projection")
    parser.add_argument("--cores", type=int, default=512, help="cores of the projection")
    options = parser.parse_args()
    small, large = (costs(run / "benchmarks") for run in options.runs)
    n_small, n_large = (
        json.loads((run / "crystals" / "sample" / "summary.json").read_text())["sampled"]
        for run in options.runs
    )
    # No stage becomes cheaper with more materials; if it seems so, the machine was busier.
    per_material = ((large["cpu_s"] - small["cpu_s"]) / (n_large - n_small)).clip(lower=0)
    per_job = ((large["cpu_s"] - n_large * per_material) / large["jobs"]).clip(lower=0)
    n_shards = math.ceil(options.materials / options.shard_size)
    n_jobs = large["jobs"].where(~large["sharded"], n_shards)
    hours = (per_job * n_jobs + per_material * options.materials) / 3600
    spread = hours / n_jobs.clip(upper=options.cores)
    print(
        f"| stage | s per job | s per 1,000 | peak MB | core hours, {options.materials:,} "
        f"| hours, {options.cores} cores |\n| --- | ---: | ---: | ---: | ---: | ---: |"
    )
    for stage in large.index:
        print(
            f"| {stage} | {per_job[stage]:.1f} | {1000 * per_material[stage]:.2f} "
            f"| {large['peak_mb'][stage]:.0f} | {hours[stage]:,.2f} | {spread[stage]:,.2f} |"
        )
    print(f"| all | | {1000 * per_material.sum():.1f} | | {hours.sum():,.0f} | {spread.sum():,.1f} |")


def costs(folder: Path) -> pd.DataFrame:
    """Sum Snakemake's benchmark files.

    Returns
    -------
    pandas.DataFrame
        Indexed by stage: ``jobs``, their processor time (s), the peak memory of one (MB), and whether
        there is one job per shard.
    """
    rows = []
    for path in sorted(folder.rglob("*.tsv")):
        (job,) = pd.read_csv(path, sep="\t").to_dict("records")
        name = REPEAT.sub("", path.relative_to(folder).with_suffix("").as_posix())
        rows.append(
            {
                "stage": CELL.sub(r"\1", SHARD.sub("", name)),
                "cpu_s": job["cpu_time"],
                "peak_mb": job["max_pss"],
                "sharded": bool(SHARD.search(name)),
            }
        )
    stages = pd.DataFrame(rows).groupby("stage")
    return stages.agg({"cpu_s": "sum", "peak_mb": "max", "sharded": "all"}).assign(jobs=stages.size())


if __name__ == "__main__":
    main()
