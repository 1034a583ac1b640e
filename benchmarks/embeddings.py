"""Predict the targets from each kind of embedding alone, compared with a dummy and composition features.

Samples real entries, splits them by formula, embeds them by each kind of network and fits a ridge and a tree
model on the training part.  Existing results in the folder are kept, and a training resumes after its last
epoch.

Usage: python benchmarks/embeddings.py --folder results/embeddings-1000
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import scripts_path  # noqa: F401
import torch
from matplotlib import pyplot as plt
from numpy.typing import NDArray
from pymatgen.core import Structure
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import ExtraTreesRegressor
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import embed_graphs
import fit_network
import sample
import split_materials
from polyfacet.evaluation.metrics import scores_of_numbers
from polyfacet.facets.compimage.statistics import STATISTICS, composition_statistics
from polyfacet.facets.graph.crystal_graph import GRAPHS, build_graphs
from polyfacet.materials import crystal_objectives
from polyfacet.materials.crystal import crystal_from_structure, primitive_crystal
from polyfacet.materials.formula import parse_formula
from polyfacet.materials.material import SAMPLE
from polyfacet.materials.stage_tables import EMBEDDINGS
from polyfacet.runtime.files import atomic_path, write_text
from polyfacet.runtime.parquet import read_table, write_table
from polyfacet.runtime.progress import track
from polyfacet.splits.parts import SPLIT, TEST, TRAIN

REFERENCE = Path(__file__).resolve().parents[1] / "data" / "reference" / "data"
KINDS = ("random", "calibrated", "trained")
TARGETS = [each.name for each in crystal_objectives.PREDEFINED]
# XenonPy's 290 composition features: five statistics of 58 properties.
XENONPY_STATISTICS = ("ave", "sum", "var", "max", "min")
TRAIN_FRACTION = 0.85
N_TREES = 100
Array = NDArray[np.float64]


def main() -> None:
    """Compute all missing results, then print and draw them."""
    options = read_options()
    for path in (options.entries, options.elements):
        if not path.exists():
            sys.exit(f"{path} is missing; pass it with --entries or --elements")
    torch.set_num_threads(1)
    folder = options.folder
    prepare(options)
    for kind in KINDS:
        once(folder / f"{kind}.parquet", lambda path, kind=kind: embed_by(kind, path, options))
    materials = read_table(folder / "sample.parquet", SAMPLE).merge(
        read_table(folder / "split.parquet", SPLIT), on="mat_id"
    )
    graphs = read_table(folder / "graphs.parquet", GRAPHS, columns=["mat_id"])
    materials = materials[materials["mat_id"].isin(graphs["mat_id"])].reset_index(drop=True)
    results = {"dummy (median)": evaluate("dummy", np.zeros((len(materials), 1)), materials, options)}
    xenonpy = xenonpy_features(materials["formula"], options.elements)
    results["XenonPy + ExtraTrees"] = evaluate("trees", xenonpy, materials, options, "xenonpy")
    for kind in KINDS:
        table = read_table(folder / f"{kind}.parquet", EMBEDDINGS).set_index("mat_id")
        features = np.stack(table.loc[materials["mat_id"], "embedding"]).astype(np.float64)
        for regressor, label in (("ridge", "ridge"), ("trees", "ExtraTrees")):
            results[f"{kind} + {label}"] = evaluate(regressor, features, materials, options, kind)
    scores = pd.DataFrame(results).T[TARGETS]
    scores["mean"] = scores.mean(axis=1)
    counts = materials["part"].value_counts()
    print(
        f"MASE; {counts[TRAIN]} training and {counts[TEST]} test materials, by formula, seed {options.seed}"
    )
    print(as_markdown(scores))
    draw(scores, folder / "mase.png")


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True, help="folder of the results")
    parser.add_argument("--entries", type=Path, default=REFERENCE / "alexandria_1d")
    parser.add_argument("--elements", type=Path, default=REFERENCE / "elements" / "elements_completed.csv")
    parser.add_argument("--n", type=int, default=1000, help="number of materials")
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--device", default="auto", choices=["auto", "cpu", "cuda"])
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--layers", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    return parser.parse_args()


def once(path: Path, make: Callable[[Path], None]) -> None:
    """Make a file if it is missing."""
    if not path.exists():
        make(path)


def prepare(options: argparse.Namespace) -> None:
    """Sample, split, and build the graphs."""
    folder = options.folder
    folder.mkdir(parents=True, exist_ok=True)

    def draw_sample(path: Path) -> None:
        sample.main(
            [options.entries],
            path,
            folder / "rejected.parquet",
            folder / "summary.json",
            n_materials=options.n,
            seed=options.seed,
            filters={},
            magnetization="absolute",
            max_rejected_fraction=0.05,
        )

    once(folder / "sample.parquet", draw_sample)
    once(
        folder / "split.parquet",
        lambda path: split_materials.main(
            folder / "sample.parquet",
            path,
            method="formula",
            train_fraction=TRAIN_FRACTION,
            seed=options.seed,
            repeat=0,
        ),
    )
    once(folder / "graphs.parquet", lambda path: write_graphs(folder / "sample.parquet", path))


def write_graphs(sampled: Path, path: Path) -> None:
    """Build the graphs of the primitive cells; report materials without one."""
    rows = []
    table = read_table(sampled, SAMPLE, columns=["mat_id", "structure"])
    for mat_id, structure in track(list(table.itertuples(index=False)), "graphs"):
        try:
            crystal = primitive_crystal(crystal_from_structure(Structure.from_dict(json.loads(structure))))
        except ValueError as error:
            print(f"{mat_id} has no graph: {error}", flush=True)
            continue
        (graph,) = build_graphs({mat_id: crystal}, pauli="coded", neighbours=16, min_radius=0.0)
        rows.append(graph.row())
    write_table(path, rows, GRAPHS)


def embed_by(kind: Any, path: Path, options: argparse.Namespace) -> None:
    """Fit the network of a kind on the training part, and embed all materials."""
    folder = options.folder
    network = folder / f"{kind}.safetensors"
    start = time.process_time()
    fit_network.main(
        [folder / "graphs.parquet"],
        folder / "split.parquet",
        network,
        folder / f"{kind}.network.json",
        kind=kind,
        seed=options.seed,
        device=options.device,
        width=options.width,
        layers=options.layers,
        sample=folder / "sample.parquet",
        training={
            "epochs": options.epochs,
            "batch_size": options.batch_size,
            "learning_rate": options.learning_rate,
        },
    )
    print(f"{kind}: network made in {time.process_time() - start:.0f} s of processor time", flush=True)
    provenance = path.with_suffix(".json")
    embed_graphs.main(folder / "graphs.parquet", network, path, provenance=provenance, device=options.device)


def xenonpy_features(formulas: pd.Series, elements: Path) -> Array:
    """Describe compositions by 290 statistics of element properties."""
    table = pd.read_csv(elements, index_col=0)
    statistics = composition_statistics([parse_formula(formula) for formula in formulas], table, "xenonpy")
    chosen = statistics[:, [STATISTICS.index(name) for name in XENONPY_STATISTICS]]
    return np.nan_to_num(chosen.reshape(len(formulas), -1))


def evaluate(
    regressor: str, features: Array, materials: pd.DataFrame, options: argparse.Namespace, name: str = "none"
) -> dict[str, float]:
    """Fit on the training part and return the MASE of the test part for each target; cached in the folder."""
    path = options.folder / f"{name}.{regressor}.json"
    test = materials["part"] == TEST
    train = ~test

    def fit(path: Path) -> None:
        scores = {}
        for target in TARGETS:
            model = make_regressor(regressor, options.seed)
            model.fit(features[train], materials.loc[train, target])
            predicted = model.predict(features[test])
            scores[target] = scores_of_numbers(materials.loc[test, target], predicted)["mase"]
        write_text(path, json.dumps(scores))

    once(path, fit)
    return json.loads(path.read_text())


def make_regressor(name: str, seed: int) -> Any:
    """Create one of the three models."""
    if name == "dummy":
        return DummyRegressor(strategy="median")
    if name == "ridge":
        return make_pipeline(StandardScaler(), RidgeCV(np.logspace(-3, 4, 15)))
    return ExtraTreesRegressor(N_TREES, random_state=seed, n_jobs=1)


def as_markdown(scores: pd.DataFrame) -> str:
    """Format the scores as a table; the best is not marked, as a single split shows no spread."""
    lines = [f"| features + model | {' | '.join(scores.columns)} |", "| --- |" + " --- |" * scores.shape[1]]
    lines += [
        f"| {label} | {' | '.join(f'{value:.3f}' for value in row)} |" for label, row in scores.iterrows()
    ]
    return "\n".join(lines)


def draw(scores: pd.DataFrame, path: Path) -> None:
    """Draw the scores as a heatmap."""
    mpl.use("Agg")
    figure, axes = plt.subplots(figsize=(8, 4), layout="constrained")
    image = axes.imshow(scores, vmin=0, vmax=1, cmap="viridis", aspect="auto")
    axes.set_xticks(range(scores.shape[1]), scores.columns)
    axes.set_yticks(range(len(scores)), list(scores.index))
    for (row, column), value in np.ndenumerate(scores.to_numpy()):
        axes.text(column, row, f"{value:.2f}", ha="center", va="center", color="w" if value < 0.6 else "k")
    figure.colorbar(image, label="MASE")
    with atomic_path(path) as part:
        figure.savefig(part, format="png", dpi=150)
    plt.close(figure)


if __name__ == "__main__":
    main()
