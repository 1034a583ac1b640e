"""Train CGCNN and the network of the graph embedding on the same materials: errors, time and size of both.

CGCNN (Xie and Grossman, "Crystal graph convolutional neural networks for an accurate and interpretable
prediction of material properties", Physical Review Letters 120, 145301 (2018)) with its published sizes, from
the convolution that PyTorch Geometric ships (CGConv).  Both networks learn all objectives at once, with the
same loss, scale, masks, optimizer, learning rates, epochs and choice of the epoch.  The seed decides the
sample, the split by formula, the initial weights and the order of the materials; finished seeds in the folder
are kept.

Usage: python benchmarks/peer_graph_network.py --folder results/peer-1000
"""

import argparse
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import pandas as pd
import scripts_path  # noqa: F401
import torch
from embeddings import REFERENCE, TARGETS, once, prepare
from pymatgen.core import Structure
from torch import nn
from torch.nn.functional import softplus
from torch_geometric.data import Data
from torch_geometric.nn import CGConv, global_mean_pool

from polyfacet.config.graphs import NetworkTraining
from polyfacet.evaluation.metrics import scores_of_numbers
from polyfacet.facets.graph.crystal_graph import CrystalGraph, read_graphs
from polyfacet.facets.graph.element_features import N_ELEMENT_FEATURES, element_feature_table
from polyfacet.facets.graph.embedding import make_network
from polyfacet.facets.graph.network import NetworkConfig, PotNet, network_input
from polyfacet.facets.graph.property_network import predict
from polyfacet.facets.graph.training import train
from polyfacet.facets.graph.training_examples import AsInput, examples_of, held_out_materials
from polyfacet.materials.crystal import crystal_from_structure, periodic_neighbours, primitive_crystal
from polyfacet.materials.material import SAMPLE
from polyfacet.networks.target_scale import TargetScale
from polyfacet.networks.threads import one_thread
from polyfacet.runtime.files import write_text
from polyfacet.runtime.parquet import read_table
from polyfacet.splits.compositions import groups_by_composition
from polyfacet.splits.parts import SPLIT, TEST

PEER, OURS = "CGCNN", "ours"
# Published sizes.
N_CONVOLUTIONS, WIDTH, HIDDEN = 3, 64, 128
NEIGHBOURS, RADIUS_A, STEP_A = 12, 8.0, 0.2


class Cgcnn(nn.Module):
    """CGCNN up to the hidden layer; a linear head, like that of our network, predicts the objectives."""

    element_features: torch.Tensor
    centres: torch.Tensor

    def __init__(self) -> None:
        super().__init__()
        # What the training of our network reads of a network: the width of its output, and where it is.
        self.config = NetworkConfig(embedding=HIDDEN)
        self.register_buffer("element_features", element_feature_table())
        self.register_buffer("centres", torch.arange(0, RADIUS_A + STEP_A / 2, STEP_A))
        self.atom = nn.Linear(N_ELEMENT_FEATURES, WIDTH)
        self.convolutions = nn.ModuleList(
            CGConv(WIDTH, dim=len(self.centres), batch_norm=True) for _ in range(N_CONVOLUTIONS)
        )
        self.readout = nn.Linear(WIDTH, HIDDEN)

    def forward(self, data: Data) -> torch.Tensor:
        """Map a batch to shape ``(crystals, 128)``."""
        atoms = self.atom(self.element_features[data.atomic_numbers])
        edges = torch.exp(-(((data.distance[:, None] - self.centres) / STEP_A) ** 2))
        for convolution in self.convolutions:
            atoms = softplus(convolution(atoms, data.edge_index, edges))
        return softplus(self.readout(softplus(global_mean_pool(atoms, data.batch))))


def main() -> None:
    """Train both networks with every seed, then print the table."""
    options = read_options()
    torch.set_num_threads(1)
    folder = options.folder
    results = {}
    for seed in options.seeds:
        options.seed, options.folder = seed, folder / f"seed-{seed}"
        path = options.folder / "peer.json"
        once(path, lambda path: write_text(path, json.dumps(compare(options), indent=2) + "\n"))
        results[seed] = json.loads(path.read_text())
    print(as_markdown(results))


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True, help="folder of the results")
    parser.add_argument("--entries", type=Path, default=REFERENCE / "alexandria_1d")
    parser.add_argument("--n", type=int, default=1000, help="number of materials")
    parser.add_argument("--seeds", type=int, nargs="+", default=[42, 1, 2])
    return parser.parse_args()


def compare(options: argparse.Namespace) -> dict[str, Any]:
    """Train both networks with one seed, and return what they cost and how wrong they are."""
    prepare(options)
    folder = options.folder
    sample = read_table(folder / "sample.parquet", SAMPLE)
    parts = read_table(folder / "split.parquet", SPLIT).set_index("mat_id")["part"]
    graphs = read_graphs([folder / "graphs.parquet"])
    structures = dict(zip(sample["mat_id"], sample["structure"], strict=True))
    started = time.process_time()
    neighbours = {graph.mat_id: nearest_neighbours(structures[graph.mat_id]) for graph in graphs}
    print(f"{PEER}: neighbours in {time.process_time() - started:.0f} s of processor time", flush=True)
    properties = sample.set_index("mat_id")[TARGETS]
    properties["group"] = properties.index.map(groups_by_composition(sample, {}))
    inputs: Mapping[str, AsInput] = {
        PEER: lambda graph: neighbours[graph.mat_id],
        OURS: network_input,
    }
    return {
        name: trained(name, as_input, graphs, parts, properties, options) for name, as_input in inputs.items()
    }


def nearest_neighbours(structure: str) -> Data:
    """Connect each atom of the primitive cell with its 12 nearest neighbours within 8 A."""
    crystal = primitive_crystal(crystal_from_structure(Structure.from_dict(json.loads(structure))))
    centre, neighbour, _, distance = periodic_neighbours(crystal, RADIUS_A)
    order = np.lexsort((neighbour, distance, centre))
    first = np.searchsorted(centre[order], centre[order])
    nearest = order[np.arange(len(order)) - first < NEIGHBOURS]
    return Data(
        num_nodes=len(crystal.atomic_numbers),
        atomic_numbers=torch.tensor(crystal.atomic_numbers),
        edge_index=torch.tensor(np.array([neighbour[nearest], centre[nearest]])),
        distance=torch.tensor(distance[nearest]).float(),
    )


def new_network(name: str, seed: int) -> PotNet:
    """Make a network; CGCNN has all that the training uses of ours."""
    if name == OURS:
        return make_network("trained", seed, [], torch.device("cpu"))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return cast(PotNet, Cgcnn())


def trained(
    name: str,
    as_input: AsInput,
    graphs: list[CrystalGraph],
    parts: Mapping[str, str],
    properties: pd.DataFrame,
    options: argparse.Namespace,
) -> dict[str, Any]:
    """Train a network on the training part, with a tenth of it choosing the epoch, and test it."""
    config = NetworkTraining()
    fitted = [graph for graph in graphs if parts[graph.mat_id] != TEST]
    tested = [graph for graph in graphs if parts[graph.mat_id] == TEST]
    groups = {graph.mat_id: properties["group"][graph.mat_id] for graph in fitted}
    held_out = held_out_materials(groups, config.validation_fraction, options.seed)
    training, validation, test = (
        examples_of(some, properties[TARGETS], as_input)
        for some in (
            [graph for graph in fitted if not held_out[graph.mat_id]],
            [graph for graph in fitted if held_out[graph.mat_id]],
            tested,
        )
    )
    network = new_network(name, options.seed)
    state = options.folder / f"{name}.state"
    started = time.process_time()
    ended = train(network, training, validation, config, seed=options.seed, properties=TARGETS, state=state)
    seconds = time.process_time() - started
    state.unlink()
    with one_thread():
        predicted = predict(ended.model, test.steps(config.batch_size), test.ranks)
    predicted = TargetScale.fit(training.values).restore(predicted)
    scores = [
        scores_of_numbers(true[known := np.isfinite(true)], answers[known])
        for true, answers in zip(test.values.T, predicted.T, strict=True)
    ]
    return {
        "n": [len(training.inputs), len(validation.inputs), len(test.inputs)],
        "parameters": sum(each.numel() for each in network.parameters()),
        "epochs": ended.epochs,
        "seconds": seconds,
        "mae": dict(zip(TARGETS, [each["mae"] for each in scores], strict=True)),
        "mase": dict(zip(TARGETS, [each["mase"] for each in scores], strict=True)),
    }


def as_markdown(results: Mapping[int, Mapping[str, Any]]) -> str:
    """Format means over the seeds, and the ratios of our network to CGCNN."""
    n_training, n_validation, n_test = next(iter(results.values()))[OURS]["n"]
    measured: dict[str, Callable[[Mapping[str, Any]], float]] = {
        **{f"MAE, {name}": lambda of, name=name: of["mae"][name] for name in TARGETS},
        **{f"MASE, {name}": lambda of, name=name: of["mase"][name] for name in TARGETS},
        "MASE, mean": lambda of: float(np.nanmean(list(of["mase"].values()))),
        "seconds per epoch": lambda of: of["seconds"] / of["epochs"],
        "epochs": lambda of: of["epochs"],
        "parameters": lambda of: of["parameters"],
    }
    lines = [
        f"{n_training} training, {n_validation} validation and {n_test} test materials (first seed); means "
        f"of {len(results)} seeds, one thread, processor time",
        "",
        f"| | {PEER} | {OURS} | {OURS} / {PEER} (each seed) |",
        "| --- | --- | --- | --- |",
    ]
    for label, of in measured.items():
        peer, ours = ([of(result[name]) for result in results.values()] for name in (PEER, OURS))
        ratios = ", ".join(f"{mine / theirs:.2f}" for mine, theirs in zip(ours, peer, strict=True))
        lines.append(
            f"| {label} | {np.mean(peer):.4g} | {np.mean(ours):.4g} | "
            f"{np.mean(ours) / np.mean(peer):.2f} ({ratios}) |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
