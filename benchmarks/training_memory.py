"""Measure memory, time and disk space of the training of the graph network as the materials grow.

The materials are uniformly strained copies of real ones, whose graphs are those of the real ones with scaled
distances and potentials.  `fit_network` runs as in a run, in its own process, until it has taken a
number of steps; it is then killed.

Usage: python benchmarks/training_memory.py --folder results/training-memory --sizes 10000 200000
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from embeddings import REFERENCE, prepare

from polyfacet.config.graphs import NetworkTraining
from polyfacet.facets.graph.crystal_graph import GRAPHS
from polyfacet.materials.material import SAMPLE
from polyfacet.networks.state import PROGRESS_KEY
from polyfacet.runtime.identifiers import shard_of
from polyfacet.runtime.parquet import read_table, write_table
from polyfacet.splits.parts import SPLIT, TRAIN

LARGEST_STRAIN = 0.05
# Materials per shard, as in a run.
SHARD = 500
TRAINING = NetworkTraining().model_dump()
RUN = """
import json, sys
from pathlib import Path
import fit_network

folder, training = Path(sys.argv[1]), json.loads(sys.argv[2])
fit_network.main(
    sorted((folder / "graphs").glob("*.parquet")), folder / "split.parquet", folder / "network.safetensors",
    folder / "network.json", kind="trained", seed=42, device="cpu", width=128, layers=3,
    sample=folder / "sample.parquet", training=training,
)
"""


@dataclass
class Measured:
    """What one training needed.

    Attributes
    ----------
    peak_mb
        Largest anonymous memory while the examples are written and while the network is trained, MB.
    cpu_s
        Processor time at the end of both, s.
    store_bytes
        Size of the file of examples.
    rows
        Materials trained on, over all epochs.
    """

    peak_mb: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    cpu_s: dict[str, float] = field(default_factory=dict)
    store_bytes: int = 0
    rows: int = 0


def tabulate(
    description: str,
    steps: int,
    write_copies: Callable[[Path, Path, int], None],
    measure: Callable[[Path, int], Measured],
) -> None:
    """Print a Markdown table of what trainings of different sizes need.

    Parameters
    ----------
    description
        What the command says of itself.
    steps
        Steps of a training, unless the command line says otherwise.
    write_copies
        Writes a number of copies of the materials in one folder to another.
    measure
        Trains on the materials in a folder for a number of steps.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "--folder", type=Path, required=True, help="folder of the materials and the trainings"
    )
    parser.add_argument("--entries", type=Path, default=REFERENCE / "alexandria_1d")
    parser.add_argument("--n", type=int, default=600, help="number of real materials")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 200_000])
    parser.add_argument("--steps", type=int, default=steps, help="steps of a training")
    options = parser.parse_args()
    print(
        "| materials | MB while writing | MB while training | bytes per material | s per 1,000 written |"
        " steps | s per 1,000 trained on |\n| ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    )
    prepare(options)
    for size in options.sizes:
        folder = options.folder / str(size)
        if not (folder / "split.parquet").exists():
            write_copies(options.folder, folder, size)
        n_fitted = int((read_table(folder / "split.parquet", SPLIT)["part"] == TRAIN).sum())
        found = measure(folder, options.steps)
        trained_s = found.cpu_s["training"] - found.cpu_s["writing"]
        print(
            f"| {size:,} | {found.peak_mb['writing']:,.0f} | {found.peak_mb['training']:,.0f} "
            f"| {found.store_bytes / n_fitted:,.0f} | {1000 * found.cpu_s['writing'] / n_fitted:.2f} "
            f"| {options.steps:,} | {1000 * trained_s / found.rows:.3g} |",
            flush=True,
        )


def write_copies(source: Path, folder: Path, size: int) -> None:
    """Write sample, split and shards of graphs of strained copies."""
    graphs = read_table(source / "graphs.parquet", GRAPHS).to_dict("records")
    sample = read_table(source / "sample.parquet", SAMPLE).set_index("mat_id")
    parts = read_table(source / "split.parquet", SPLIT).set_index("mat_id")
    names = [f"{graphs[number % len(graphs)]['mat_id']}-{number // len(graphs)}" for number in range(size)]
    n_shards = -(-size // SHARD)
    shards: dict[int, list[int]] = defaultdict(list)
    for number, name in enumerate(names):
        shards[shard_of(name, n_shards)].append(number)
    (folder / "graphs").mkdir(parents=True, exist_ok=True)
    for shard, numbers in shards.items():
        rows = [
            strained(graphs[number % len(graphs)], number // len(graphs), names[number]) for number in numbers
        ]
        write_table(folder / "graphs" / f"shard-{shard}.parquet", rows, GRAPHS)
    originals = [graphs[number % len(graphs)]["mat_id"] for number in range(size)]
    # The network does not read the structures, which would fill the disk.
    copies = sample.loc[originals].assign(structure="", data="{}", mat_id=names, source_position=range(size))
    write_table(folder / "sample.parquet", copies[SAMPLE.names], SAMPLE)
    write_table(folder / "split.parquet", parts.loc[originals].assign(mat_id=names)[SPLIT.names], SPLIT)


def strained(row: Mapping[str, Any], copy: int, name: str) -> dict[str, Any]:
    """Return the graph of a copy: distances grow, and sums fall as the potentials do (1/r, 1/r^6)."""
    factor = 1 + LARGEST_STRAIN * np.sin(copy)
    sums = row["pair_potentials"].reshape(-1, 3) / np.array([factor, factor**6, factor])
    return {
        **row,
        "mat_id": name,
        "pair_potentials": sums.ravel(),
        "edge_distance": row["edge_distance"] * factor,
    }


def measure(folder: Path, steps: int) -> Measured:
    """Train until the state has a number of steps, and say what it took."""
    state, examples = (folder / f"network.safetensors.training{suffix}" for suffix in ("", ".examples"))
    for path in (state, examples):
        path.unlink(missing_ok=True)
    found = Measured()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - the command is ours
            [sys.executable, "-c", RUN, str(folder), json.dumps(TRAINING)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"},
            stderr=log,
        )
        for phase, memory_mb, cpu_s in watched(process.pid, examples):
            found.peak_mb[phase] = max(found.peak_mb[phase], memory_mb)
            found.cpu_s[phase] = cpu_s
            if steps_of(state, examples, TRAINING["batch_size"], found) >= steps:
                break
            if process.poll() is not None:
                raise RuntimeError(f"the training ended early: {folder / 'log'}")
        found.store_bytes = examples.stat().st_size
        process.send_signal(signal.SIGKILL)
        process.wait()
    return found


def watched(pid: int, examples: Path) -> Iterator[tuple[str, float, float]]:
    """Yield phase, anonymous memory (MB) and processor time (s) of a process, several times a second."""
    ticks = os.sysconf("SC_CLK_TCK")
    while True:
        status = Path(f"/proc/{pid}/status").read_text()
        memory = next((line.split()[1] for line in status.splitlines() if line.startswith("RssAnon")), "0")
        times = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        yield (
            "training" if examples.exists() else "writing",
            int(memory) / 1000,
            (int(times[11]) + int(times[12])) / ticks,
        )
        time.sleep(0.1)


def steps_of(state: Path, examples: Path, batch_size: int, found: Measured) -> int:
    """Return the number of steps in a file of a state, and note the materials trained on."""
    if not state.exists():
        return 0
    # The training replaces the file at any moment, and `safe_open` opens a file twice.
    with state.open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    progress = json.loads(header["__metadata__"][PROGRESS_KEY])
    n_rows = n_trained_on(examples)
    n_steps = n_rows // batch_size
    done = int(progress["epoch"] * n_steps + progress["step"])
    found.rows = done * n_rows // n_steps
    return done


@cache
def n_trained_on(examples: Path) -> int:
    """Count the materials that do not choose the epoch."""
    held_out = pq.read_table(examples, columns=["held_out"])["held_out"].to_pylist()
    return len(held_out) - sum(held_out)


if __name__ == "__main__":
    tabulate(__doc__.splitlines()[0], 1_200, write_copies, measure)
