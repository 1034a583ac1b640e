"""The training of the network in several processes: PyTorch's launcher starts each with this module."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from polyfacet.networks import loop
from polyfacet.networks.example_file import ExampleFile, ExamplesOfPart
from polyfacet.networks.in_processes import Processes, take_part
from polyfacet.training.engines.joint.example_table import LABELLED
from polyfacet.training.engines.joint.inputs import FacetReader
from polyfacet.training.engines.joint.model import JointNetwork, new_network
from polyfacet.training.engines.joint.objectives import LearnedObjectives
from polyfacet.training.engines.joint.settings import JointSettings
from polyfacet.training.engines.joint.stored_examples import StoredExamples
from polyfacet.training.engines.joint.training import Training


def train_in_processes(training: Training, network: JointNetwork, folder: Path) -> list[loop.Ended]:
    """Train a network in place, as `Training.run`, in the processes of the settings.

    Parameters
    ----------
    training
        The training.
    network
        The network.
    folder
        Folder for what the processes tell each other.
    """
    processes = Processes(__name__, folder, training.settings.processes)
    return processes.train(network, _task(training))


def _task(training: Training) -> dict[str, Any]:
    """Return what the processes are told."""
    rows = training.trained_on
    return {
        "settings": training.settings.model_dump(mode="json"),
        "file": [str(rows.rows.file.path.absolute()), rows.rows.file.digest],
        "facets": [reader.record() for reader in rows.readers],
        "objectives": rows.objectives.record(),
        "seed": training.seed,
        "states": training.states and str(training.states.absolute()),
        "save_every_s": training.save_every_s,
    }


def _new_model(task: Mapping[str, Any]) -> JointNetwork:
    return new_network(JointSettings(**task["settings"]), _readers(task), _objectives(task))


def _train(task: Mapping[str, Any], network: JointNetwork) -> list[loop.Ended]:
    path, digest = task["file"]
    file = ExampleFile(Path(path), digest)
    trained_on, chosen_by = (
        StoredExamples(ExamplesOfPart(file, held_out, LABELLED), _readers(task), _objectives(task))
        for held_out in (False, True)
    )
    states = task["states"] and Path(task["states"])
    settings = JointSettings(**task["settings"])
    training = Training(settings, trained_on, chosen_by, task["seed"], states, task["save_every_s"])
    return training.run(network)


def _readers(task: Mapping[str, Any]) -> tuple[FacetReader, ...]:
    return tuple(map(FacetReader.from_record, task["facets"]))


def _objectives(task: Mapping[str, Any]) -> LearnedObjectives:
    return LearnedObjectives.from_record(task["objectives"])


if __name__ == "__main__":
    take_part(Path(sys.argv[1]), _new_model, _train)
