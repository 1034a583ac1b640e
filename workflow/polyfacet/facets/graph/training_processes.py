"""The training of the network in several processes: PyTorch's launcher starts each with this module."""

import json
import shutil
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from polyfacet.config.graphs import NetworkTraining
from polyfacet.facets.graph.example_store import ExampleStore
from polyfacet.facets.graph.network import NetworkConfig, PotNet
from polyfacet.facets.graph.property_network import PropertyNetwork
from polyfacet.facets.graph.training_examples import StoredExamples
from polyfacet.facets.graph.training_run import TrainingRun
from polyfacet.networks import loop
from polyfacet.networks.launcher import end_with_launcher, launch
from polyfacet.networks.processes import joined, own_share
from polyfacet.networks.target_scale import TargetScale
from polyfacet.networks.threads import one_thread
from polyfacet.runtime.files import atomic_path, write_text


@dataclass(frozen=True)
class Task:
    """What the processes of a training are told, in a folder that all of them see.

    Parameters
    ----------
    run
        The training.
    plan
        Length of the training, and the file that keeps its state.
    sizes
        Sizes of the network.
    device
        Type of the device.
    """

    run: TrainingRun
    plan: loop.Plan
    sizes: NetworkConfig
    device: str

    def write(self, folder: Path) -> None:
        """Write the task as JSON."""
        scale = {name: array.tolist() for name, array in vars(self.run.scale).items()}
        task = {
            "store": [str(self._store().path), self._store().digest],
            "scale": scale,
            "config": self.run.config.model_dump(),
            "seed": self.run.seed,
            "plan": {**asdict(self.plan), "file": str(self.plan.file)},
            "sizes": self.sizes.model_dump(),
            "device": self.device,
        }
        write_text(folder / "task.json", json.dumps(task))

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read the task."""
        task: dict[str, Any] = json.loads((folder / "task.json").read_text())
        path, digest = task["store"]
        store = ExampleStore(Path(path), digest)
        scale = TargetScale(**{name: np.array(values) for name, values in task["scale"].items()})
        config = NetworkTraining(**task["config"])
        training, validation = StoredExamples(store, held_out=False), StoredExamples(store, held_out=True)
        run = TrainingRun(training, validation, scale, config, task["seed"])
        plan = loop.Plan(**{**task["plan"], "file": Path(task["plan"]["file"])})
        return cls(run, plan, NetworkConfig(**task["sizes"]), task["device"])

    def _store(self) -> ExampleStore:
        if not isinstance(self.run.training, StoredExamples):
            raise TypeError("several processes need examples on disk")
        return self.run.training.store


def train_in_processes(run: TrainingRun, model: PropertyNetwork, plan: loop.Plan) -> loop.Ended:
    """Train a network in place, as `TrainingRun.train`, in the processes of the settings."""
    if plan.file is None:
        raise ValueError("a training in several processes needs a file for its state")
    folder = plan.file.with_name(f"{plan.file.name}.processes").absolute()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    device = model.network.readout.weight.device
    Task(run, plan, model.network.config, device.type).write(folder)
    save_file(
        {name: tensor.cpu().contiguous() for name, tensor in model.state_dict().items()}, _weights(folder)
    )
    launch(__name__, folder, run.config.processes, run.config.nodes)
    model.load_state_dict(load_file(_weights(folder), device.type))
    ended = loop.Ended(**json.loads((folder / "ended.json").read_text()))
    shutil.rmtree(folder)
    return ended


def _weights(folder: Path) -> Path:
    return folder / "weights.safetensors"


def train_in_this_process(folder: Path) -> None:
    """Train as one of the processes; the first writes the outcome."""
    task = Task.read(folder)
    device = torch.device(task.device)
    with joined(device, folder / "meeting" if task.run.config.nodes == 1 else None), one_thread():
        model = PropertyNetwork(PotNet(task.sizes), len(task.run.scale.centre))
        model.load_state_dict(load_file(_weights(folder)))
        ended = task.run.train(model.to(device), task.plan)
        if own_share().number == 0:
            with atomic_path(_weights(folder)) as part:
                save_file({name: tensor.cpu() for name, tensor in model.state_dict().items()}, part)
            write_text(folder / "ended.json", json.dumps(asdict(ended)))


if __name__ == "__main__":
    end_with_launcher()
    train_in_this_process(Path(sys.argv[1]))
