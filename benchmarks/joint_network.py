"""Compare settings of the joint network on a split of a finished run: error by subset of facets, and time.

Usage: python benchmarks/joint_network.py results/one_dimensional/crystals/formula-0 '{"fusion": "mean"}'

The network is trained on the training part, and its own output is scored: the MASE relative to the mean of
the training part, averaged over the seven predefined objectives, on the validation and on the test part.
Cells of the run with the same subsets are scored alike: their predictions for validation rows come from fits
on the training part alone, those for test rows from fits on training and validation part.
"""

import argparse
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from polyfacet.facets.declaration import Facet
from polyfacet.facets.registry import (
    COMPIMAGE,
    GRAPH,
    IMAGE,
    TEXT,
    all_combinations,
    combination_name,
    facet_named,
)
from polyfacet.materials.crystal_objectives import CRYSTAL_OBJECTIVES
from polyfacet.materials.objectives import Objective
from polyfacet.splits.parts import TEST, TRAIN, VALID
from polyfacet.training.engines.base import Resources
from polyfacet.training.engines.joint.foundation import train_foundation
from polyfacet.training.engines.joint.settings import JointSettings
from polyfacet.training.row_tables import RowTables

SEED = 42
FACETS = (TEXT, GRAPH, COMPIMAGE)
OBJECTIVES = tuple(Objective(name) for name in CRYSTAL_OBJECTIVES.built_in)
CELLS = ("ridge", "extra_trees", "boosting")
# Combination to its scores on the validation and on the test part.
Scores = dict[str, tuple[float, float]]


def main() -> None:
    """Print a line per setting, and one per method of the run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("split", type=Path, help="folder of a split of crystals")
    parser.add_argument("settings", nargs="*", type=json.loads, default=[{}], help="settings, as JSON")
    parser.add_argument("--facets", default=combination_name(FACETS), help="facets, joined by +")
    given = parser.parse_args()
    facets = [facet_named(name) for name in given.facets.split("+")]
    rows = rows_of(given.split, facets)
    names = all_combinations(facets)
    print(f"| model | weights | s per epoch | s | mean | {' | '.join(names)} |")
    print("| --- |" + " ---: |" * (4 + len(names)))
    repeat = int(given.split.name.rpartition("-")[2])
    for settings in given.settings:
        start = time.process_time()
        scores, record = scores_of_network(settings, rows, facets, SEED + repeat)
        seconds, n_epochs = (
            time.process_time() - start,
            sum(each["n_epochs"] for each in record["parts"].values()),
        )
        cost = f"{record['n_weights']} | {seconds / n_epochs:.2f} | {seconds:.0f}"
        print(line_of(json.dumps(settings), cost, scores, names), flush=True)
    for method in CELLS:
        scores = dict(scores_of_cells(given.split / "cells" / method, rows, names))
        if scores.keys() >= set(names):
            print(line_of(method, " | | ", scores, names))


def line_of(model: str, cost: str, scores: Scores, names: Sequence[str]) -> str:
    """Write the scores of a model, validation / test."""
    found = [scores[name] for name in names]
    shown = [f"{valid:.3f} / {test:.3f}" for valid, test in [tuple(np.mean(found, axis=0)), *found]]
    return f"| {model} | {cost} | {' | '.join(shown)} |"


def rows_of(split: Path, facets: Sequence[Facet]) -> pd.DataFrame:
    """Read the materials that have all facets."""
    folders = {
        TEXT: split.parent / "text-composition",
        IMAGE: split.parent / "images",
        GRAPH: split / "embeddings",
        COMPIMAGE: split / "composition_images",
    }
    tables = {facet: sorted(folders[facet].glob("shard-[0-9].parquet")) for facet in facets}
    columns = [objective.column for objective in OBJECTIVES]
    sample, graphs = split.parent / "sample" / "sample.parquet", split.parent / "graphs"
    rows = RowTables(
        sample,
        split / "split.parquet",
        columns,
        tables,
        encodings={IMAGE: split / "encodings" / "image.parquet"} if IMAGE in facets else {},
        graphs=sorted(graphs.glob("shard-[0-9].parquet")) if GRAPH in facets else (),
    ).read()
    return rows[rows["facets"].map(len) == len(facets)].reset_index(drop=True)


def scores_of_network(
    settings: Mapping[str, Any], rows: pd.DataFrame, facets: Sequence[Facet], seed: int
) -> tuple[Scores, Mapping[str, Any]]:
    """Train a network; return its scores and the record of its training."""
    train = rows[rows["part"] == TRAIN]
    network = train_foundation(JointSettings(**settings), train, facets, OBJECTIVES, Resources(seed))
    found: dict[str, list[float]] = {}
    for part in (VALID, TEST):
        judged = rows[rows["part"] == part]
        for subset, said in network.outputs_of_subsets(judged, facets).items():
            predicted = network.objectives.scale.restore(said.numbers.double().numpy())
            found.setdefault("+".join(subset), []).append(mase(predicted, judged, train))
    return {name: (valid, test) for name, (valid, test) in found.items()}, network.record


def scores_of_cells(
    method: Path, rows: pd.DataFrame, names: Sequence[str]
) -> Iterator[tuple[str, tuple[float, float]]]:
    """Yield the scores of the cells of a method that are finished."""
    train = rows[rows["part"] == TRAIN]
    for name in names:
        files = [method / name / each.column / "predictions.parquet" for each in OBJECTIVES]
        if not all(file.is_file() for file in files):
            continue
        tables = [pd.read_parquet(file).set_index("mat_id") for file in files]
        scores = []
        for part in (VALID, TEST):
            judged = rows[rows["part"] == part]
            predicted = np.stack([table["y_pred"].reindex(judged["mat_id"]) for table in tables], axis=1)
            scores.append(mase(predicted, judged, train))
        yield name, (scores[0], scores[1])


def mase(predicted: np.ndarray, judged: pd.DataFrame, train: pd.DataFrame) -> float:
    """Return the error relative to that of the mean of the training part, mean over the objectives."""
    columns = [objective.column for objective in OBJECTIVES]
    true = judged[columns].to_numpy(float)
    wrong, wrong_of_mean = (
        np.nanmean(np.abs(answers - true), axis=0)
        for answers in (predicted, train[columns].mean().to_numpy(float))
    )
    return float(np.mean(wrong / wrong_of_mean))


if __name__ == "__main__":
    main()
