"""Measure memory, time and disk space of the training of the joint network as the materials grow.

The materials are copies of real ones: formulas and their frozen encodings are those of the real ones, and
the numbers of the graph, from an untrained network, differ between copies.  `pretrain_engine` runs as in a
run, in its own process, until it has taken a number of steps; it is then killed.

Usage: python benchmarks/joint_memory.py --folder results/joint-memory --sizes 10000 50000 200000
"""

import json
import os
import signal
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from embeddings import TARGETS
from training_memory import LARGEST_STRAIN, SHARD, Measured, steps_of, tabulate, watched

from polyfacet.encodings.fractions import fractions_of
from polyfacet.facets.graph.crystal_graph import read_graphs
from polyfacet.facets.graph.embedding import embed, make_network
from polyfacet.facets.text.composition import composition_text
from polyfacet.materials.material import SAMPLE
from polyfacet.materials.stage_tables import EMBEDDINGS, ENCODINGS, TEXTS
from polyfacet.runtime.identifiers import shard_of
from polyfacet.runtime.parquet import read_table, write_table
from polyfacet.splits.parts import SPLIT
from polyfacet.training.engines.joint.settings import JointSettings

BATCH = JointSettings().batch_size
RUN = """
import json, sys
from pathlib import Path
import pretrain_engine

folder, told = Path(sys.argv[1]), json.loads(sys.argv[2])
n = told.pop("n_shards")
tables = [folder / name / f"shard-{shard}.parquet" for name in ("texts", "embeddings") for shard in range(n)]
pretrain_engine.main(
    folder / "sample.parquet", folder / "split.parquet", tables, folder / "foundation",
    facets=["text", "graph"], engine="joint", repeat=0, seed=42,
    encodings=[folder / "encodings.parquet"], **told,
)
"""


def write_copies(source: Path, folder: Path, size: int) -> None:
    """Write sample, split and frozen encodings, and the tables of both facets, in shards."""
    graphs = read_graphs([source / "graphs.parquet"])
    numbers = dict(embed(make_network("random", 1, [], torch.device("cpu")), graphs))
    sample = read_table(source / "sample.parquet", SAMPLE).set_index("mat_id")
    parts = read_table(source / "split.parquet", SPLIT).set_index("mat_id")
    originals = [list(numbers)[number % len(numbers)] for number in range(size)]
    names = [f"{original}-{number // len(numbers)}" for number, original in enumerate(originals)]
    shards: dict[int, list[int]] = defaultdict(list)
    for number, name in enumerate(names):
        shards[shard_of(name, n_shards(size))].append(number)
    folder.mkdir(parents=True, exist_ok=True)
    for shard, members in shards.items():
        texts = [
            {"mat_id": names[n], "text": composition_text(sample["formula"][originals[n]], "composition")}
            for n in members
        ]
        write_table(folder / "texts" / f"shard-{shard}.parquet", texts, TEXTS)
        strained = [
            {"mat_id": names[n], "embedding": numbers[originals[n]] * strain(n // len(numbers))}
            for n in members
        ]
        write_table(folder / "embeddings" / f"shard-{shard}.parquet", strained, EMBEDDINGS)
    fractions = dict(zip(numbers, fractions_of(sample["formula"][list(numbers)]), strict=True))
    encoded = pd.DataFrame({"mat_id": names, "encoding": [fractions[original] for original in originals]})
    write_table(folder / "encodings.parquet", encoded, ENCODINGS)
    # The network does not read the structures, which would fill the disk.
    copies = sample.loc[originals].assign(structure="", data="{}", mat_id=names, source_position=range(size))
    write_table(folder / "sample.parquet", copies[SAMPLE.names], SAMPLE)
    write_table(folder / "split.parquet", parts.loc[originals].assign(mat_id=names)[SPLIT.names], SPLIT)


def strain(copy: int) -> np.float32:
    """Return the factor by which the numbers of a copy differ."""
    return np.float32(1 + LARGEST_STRAIN * np.sin(copy))


def n_shards(size: int) -> int:
    """Return the number of shards, as in a run."""
    return -(-size // SHARD)


def measure(folder: Path, steps: int) -> Measured:
    """Train until the state has a number of steps, and say what it took."""
    told = {
        "n_shards": len(list((folder / "texts").iterdir())),
        "settings": {},
        "objectives": [{"column": name} for name in TARGETS],
    }
    state = folder / "foundation.states" / "joint.safetensors"
    state.unlink(missing_ok=True)
    found = Measured()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - the command is ours
            [sys.executable, "-c", RUN, str(folder), json.dumps(told)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"},
            stderr=log,
        )
        for _, memory_mb, cpu_s in watched(process.pid, state):
            examples = written_in(folder)
            phase = "training" if examples else "writing"
            found.peak_mb[phase] = max(found.peak_mb[phase], memory_mb)
            found.cpu_s[phase] = cpu_s
            if examples and steps_of(state, examples, BATCH, found) >= steps:
                break
            if process.poll() is not None:
                raise RuntimeError(f"the training ended early: {folder / 'log'}")
        found.store_bytes = examples.stat().st_size if examples else 0
        process.send_signal(signal.SIGKILL)
        process.wait()
    return found


def written_in(folder: Path) -> Path | None:
    """Return the file of examples once it is complete."""
    return next((folder / "foundation.scratch").glob("*/examples"), None)


if __name__ == "__main__":
    tabulate(__doc__.splitlines()[0], 1_000, write_copies, measure)
