"""The training of the network in several processes: PyTorch's launcher starts each with this module."""

import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from polyfacet.config.graphs import NetworkTraining
from polyfacet.facets.graph.example_store import ExampleStore
from polyfacet.facets.graph.network import NetworkConfig, PotNet
from polyfacet.facets.graph.property_network import PropertyNetwork
from polyfacet.facets.graph.training_examples import StoredExamples
from polyfacet.facets.graph.training_run import TrainingRun
from polyfacet.networks import loop
from polyfacet.networks.in_processes import Processes, take_part
from polyfacet.networks.target_scale import TargetScale


def train_in_processes(run: TrainingRun, model: PropertyNetwork, plan: loop.Plan) -> loop.Ended:
    """Train a network in place, as `TrainingRun.train`, in the processes of the settings."""
    if plan.file is None:
        raise ValueError("a training in several processes needs a file for its state")
    folder = plan.file.with_name(f"{plan.file.name}.processes")
    processes = Processes(__name__, folder, run.config.processes, run.config.nodes)
    (ended,) = processes.train(model, _task(run, model.network.config, plan))
    return ended


def _task(run: TrainingRun, sizes: NetworkConfig, plan: loop.Plan) -> dict[str, Any]:
    """Return what the processes are told."""
    if not isinstance(run.training, StoredExamples):
        raise TypeError("several processes need examples on disk")
    return {
        "store": [str(run.training.file.path), run.training.file.digest],
        "scale": {name: array.tolist() for name, array in vars(run.scale).items()},
        "config": run.config.model_dump(),
        "seed": run.seed,
        "plan": {**asdict(plan), "file": str(plan.file)},
        "sizes": sizes.model_dump(),
    }


def _new_model(task: Mapping[str, Any]) -> PropertyNetwork:
    return PropertyNetwork(PotNet(NetworkConfig(**task["sizes"])), len(task["scale"]["centre"]))


def _train(task: Mapping[str, Any], model: PropertyNetwork) -> list[loop.Ended]:
    path, digest = task["store"]
    store = ExampleStore(Path(path), digest)
    training, validation = StoredExamples(store, held_out=False), StoredExamples(store, held_out=True)
    scale = TargetScale(**{name: np.array(values) for name, values in task["scale"].items()})
    run = TrainingRun(training, validation, scale, NetworkTraining(**task["config"]), task["seed"])
    return [run.train(model, loop.Plan(**{**task["plan"], "file": Path(task["plan"]["file"])}))]


if __name__ == "__main__":
    take_part(Path(sys.argv[1]), _new_model, _train)
