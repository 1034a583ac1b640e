"""Measure memory and time of AutoGluon's cell with all facets as the dataset grows, for `train_cell`.

Usage: python benchmarks/cell_memory.py results/<run>
           [--sizes 1000 4000 8000]

The materials are those of a run with a dataset and local encoders, repeated with new identifiers if there
are not enough.  Each cell is trained for one epoch in a separate process.
"""

import argparse
import os
import resource
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import scripts_path  # noqa: F401

import train_cells
from polyfacet.facets.registry import COMPIMAGE, FULL_FACETS, GRAPH, IMAGE, TEXT, combination_name
from polyfacet.materials import crystal_objectives
from polyfacet.training.cards import read_card
from polyfacet.training.engines.registry import complete_settings

PLACE = {"source": "crystals", "split": "random", "split_method": "random", "repeat": 0, "method": "automm"}


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
    """Train the cell; return the peak memory of the process (MB) and the time (s)."""
    source = run / "crystals"
    split = next(path.parent for path in sorted(source.glob("*/split.parquet")))
    with tempfile.TemporaryDirectory(dir=run) as name:
        folder = Path(name)
        stages = {
            TEXT: source / "text-composition",
            IMAGE: source / "images",
            GRAPH: split / "embeddings",
            COMPIMAGE: split / "composition_images",
        }
        tables = []
        for facet, stage in stages.items():
            # A table of pictures lists those in the folder of the same name.
            tables.append(folder / facet.name / "shard-0.parquet")
            write_repeated(sorted(stage.glob("shard-?.parquet")), tables[-1], size)
        write_repeated([source / "sample" / "sample.parquet"], folder / "sample.parquet", size)
        write_repeated([split / "split.parquet"], folder / "split.parquet", size)
        start = time.monotonic()
        train_cells.main(
            folder / "sample.parquet",
            folder / "split.parquet",
            tables,
            folder / "cell",
            place={**PLACE, "run": run.name},
            facets=[facet.name for facet in FULL_FACETS],
            grid=[
                {
                    "combination": combination_name(FULL_FACETS),
                    "objective": asdict(crystal_objectives.E_FORM.objective),
                    "folder": ".",
                }
            ],
            engine="automm",
            settings=complete_settings("automm", {"max_epochs": 1}),
            encoders=run / "encoders",
            seed=1,
        )
        wall_s = time.monotonic() - start
        card = read_card(folder / "cell" / "card.json")
        if card.status != "ok":
            raise RuntimeError(f"the cell failed: {card.reason}")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000, wall_s


def write_repeated(tables: Sequence[Path], path: Path, size: int) -> None:
    """Write the first materials of tables, repeating all of them if necessary."""
    pieces = []
    for part in tables:
        piece = pq.read_table(part)
        if "image" in piece.column_names:
            folder = part.with_suffix("").resolve()
            names = pa.array([f"{folder}/{name}" for name in piece["image"].to_pylist()])
            piece = piece.set_column(piece.column_names.index("image"), piece.schema.field("image"), names)
        pieces.append(piece)
    table = pa.concat_tables(pieces)
    place = table.schema.get_field_index("mat_id")
    repeats = [
        table.set_column(
            place,
            table.schema.field("mat_id"),
            pa.array([f"{mat_id}-{number}" for mat_id in table["mat_id"].to_pylist()]),
        )
        for number in range(-(-size // table.num_rows))
    ]
    path.parent.mkdir(exist_ok=True)
    pq.write_table(pa.concat_tables(repeats).slice(0, size), path)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
