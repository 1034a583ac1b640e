"""Training in several processes: what they are told, and what they hand back, in a folder that all see."""

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors.torch import load_file, save_file
from torch import nn

from polyfacet.networks.launcher import end_with_launcher, launch
from polyfacet.networks.loop import Ended
from polyfacet.networks.processes import joined, own_share
from polyfacet.networks.threads import one_thread
from polyfacet.runtime.files import atomic_path, write_text

Model = TypeVar("Model", bound=nn.Module)


@dataclass(frozen=True)
class Processes:
    """The processes that train together.

    Parameters
    ----------
    module
        Module that each of them runs; it calls `take_part` with the folder that is its argument.
    folder
        Folder that all of them see; it is made, and removed at the end.
    processes, nodes
        See `polyfacet.networks.launcher.launch`.
    """

    module: str
    folder: Path
    processes: int
    nodes: int = 1

    def train(self, model: nn.Module, task: Mapping[str, Any]) -> list[Ended]:
        """Train a network in place.

        Parameters
        ----------
        model
            Network with its initial weights.
        task
            The training, as values that JSON can represent.

        Returns
        -------
        list of Ended
            What the training of the first process returned.
        """
        folder = self.folder.absolute()
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        device = next(model.parameters()).device.type
        told = {"task": dict(task), "device": device, "on_this_machine": self.nodes == 1}
        write_text(folder / "task.json", json.dumps(told))
        _write_weights(model, folder)
        launch(self.module, folder, self.processes, self.nodes)
        model.load_state_dict(load_file(_weights(folder), device))
        ended = [Ended(**each) for each in json.loads((folder / "ended.json").read_text())]
        shutil.rmtree(folder)
        return ended


def take_part(
    folder: Path,
    new_model: Callable[[Mapping[str, Any]], Model],
    train: Callable[[Mapping[str, Any], Model], list[Ended]],
) -> None:
    """Train as one of the processes; the first writes the outcome.

    Parameters
    ----------
    folder
        See `Processes`.
    new_model
        Creates the network of a task, with any weights.
    train
        Trains it.
    """
    end_with_launcher()
    told = json.loads((folder / "task.json").read_text())
    device = torch.device(told["device"])
    meeting_point = folder / "meeting" if told["on_this_machine"] else None
    with joined(device, meeting_point), one_thread():
        model = new_model(told["task"])
        model.load_state_dict(load_file(_weights(folder)))
        ended = train(told["task"], model.to(device))
        if own_share().number == 0:
            _write_weights(model, folder)
            write_text(folder / "ended.json", json.dumps([asdict(each) for each in ended]))


def _weights(folder: Path) -> Path:
    return folder / "weights.safetensors"


def _write_weights(model: nn.Module, folder: Path) -> None:
    tensors = {name: tensor.cpu().contiguous() for name, tensor in model.state_dict().items()}
    with atomic_path(_weights(folder)) as part:
        save_file(tensors, part)
