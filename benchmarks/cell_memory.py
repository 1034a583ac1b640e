"""Measure what AutoGluon's cell of all facets takes as the dataset grows: the request of `train_cell`.

Usage: PYTHONPATH=workflow:workflow/scripts python benchmarks/cell_memory.py results/<run>
           [--sizes 1000 4000 8000]

The materials are those of a run with a dataset and local encoders, repeated with new identifiers where there
are not enough.  A cell is trained for one epoch, each in a process of its own.
"""

import argparse
import os
import resource
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

import train_cell
from polyfacet.config.completion import complete_config
from polyfacet.facets.registry import Facet, combination_name
from polyfacet.materials.targets import Target
from polyfacet.training.cards import read_card
from polyfacet.training.dataset import write_dataset_metadata


def main() -> None:
    """Print a Markdown table of memory and time by size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="folder of the run's results")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 4_000, 8_000])
    options = parser.parse_args()
    print("| materials | peak MB | s of the epoch and its start |\n| ---: | ---: | ---: |")
    for size in options.sizes:
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            peak_mb, wall_s = pool.submit(train, options.run, size).result()
        print(f"| {size:,} | {peak_mb:,.0f} | {wall_s:.0f} |", flush=True)


def train(run: Path, size: int) -> tuple[float, float]:
    """Train the cell; return the process' largest memory (MB) and the time (s)."""
    # The pictures' paths begin at the folder of the dataset, beside which this one is.
    with tempfile.TemporaryDirectory(dir=run / "split-0") as name:
        folder = Path(name)
        write_repeated(run / "split-0" / "dataset", folder / "shard-0.parquet", size)
        write_dataset_metadata(folder / "_metadata", [folder / "shard-0.parquet"])
        start = time.monotonic()
        train_cell.main(
            folder / "_metadata",
            encoders=run / "encoders",
            predictions=folder / "cell" / "predictions.parquet",
            model=folder / "cell" / "model",
            card=folder / "cell" / "card.json",
            combination=combination_name(list(Facet)),
            objective=asdict(Target.E_FORM.objective),
            split="split-0",
            text="composition",
            engine="automm",
            settings=one_epoch(),
            seed=1,
        )
        wall_s = time.monotonic() - start
        card = read_card(folder / "cell" / "card.json")
        if card.status != "ok":
            raise RuntimeError(f"the cell failed: {card.reason}")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000, wall_s


def one_epoch() -> dict[str, Any]:
    """Give the default settings of AutoGluon, but for the epochs."""
    return {**complete_config({})["engine"]["automm"], "max_epochs": 1}


def write_repeated(dataset: Path, path: Path, size: int) -> None:
    """Write the first materials of a dataset, all of them again and again if need be."""
    parts = [pq.read_table(part) for part in sorted(dataset.glob("*.parquet"))]
    table = pa.concat_tables(parts)
    place = table.schema.get_field_index("mat_id")
    repeats = [
        table.set_column(
            place,
            table.schema.field("mat_id"),
            pa.array([f"{mat_id}-{number}" for mat_id in table["mat_id"].to_pylist()]),
        )
        for number in range(-(-size // table.num_rows))
    ]
    pq.write_table(pa.concat_tables(repeats).slice(0, size), path)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
