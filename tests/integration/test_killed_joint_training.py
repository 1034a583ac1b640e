"""A killed training of the joint network resumes mid-epoch and ends with the weights of one that was not."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from project import PROJECT

DEADLINE_S = 300
FILES = ("weights.safetensors", "network.json")
# States are written after every step.
TRAIN = """
import sys
from pathlib import Path
from joint_rows import FACETS, GAP, KIND, joint_rows, SMALL
from polyfacet.networks import loop
from polyfacet.training.engines.base import Resources
from polyfacet.training.engines.joint.foundation import train_foundation
from polyfacet.training.engines.joint.settings import JointSettings

loop.SAVE_EVERY_S = 0
folder, processes = Path(sys.argv[1]), int(sys.argv[2])
settings = JointSettings(**{**SMALL, "max_epochs": 8, "batch_size": 8, "processes": processes})
resources = Resources(seed=1, states=folder / "states", scratch=folder)
train_foundation(settings, joint_rows(64), FACETS, (GAP, KIND), resources).save(folder)
"""


def start(folder: Path, processes: int) -> "subprocess.Popen[bytes]":
    folder.mkdir(exist_ok=True)
    paths = (PROJECT / name for name in ("workflow", "workflow/scripts", "tests", "tests/unit"))
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-c", TRAIN, str(folder), str(processes)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))},
            stdout=log,
            stderr=subprocess.STDOUT,
        )


def progress_in(state: Path) -> dict[str, int]:
    """Read the metadata of a safetensors file that may be replaced at any moment.

    `safe_open` opens a file twice, and fails if it is replaced in between.
    """
    with state.open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    return json.loads(header["__metadata__"]["progress"])


def wait_for_the_middle_of_an_epoch(state: Path, training: "subprocess.Popen[bytes]") -> dict[str, int]:
    """Wait until some epochs, and some steps of the next one, are in the file of the state."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline and training.poll() is None:
        if state.exists():
            progress = progress_in(state)
            if progress["epoch"] >= 2 and 0 < progress["step"] < 8:
                return progress
        time.sleep(0.01)
    raise AssertionError("the training ended before it could be killed")


def processes_of(folder: Path) -> list[str]:
    """List the processes that work in a folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().decode(errors="replace")
        except OSError:  # it has ended
            continue
        if str(folder) in command:
            found.append(command)
    return found


def kill(training: "subprocess.Popen[bytes]", folder: Path) -> None:
    """Kill a training, and wait until its processes have ended."""
    training.send_signal(signal.SIGKILL)
    training.wait()
    deadline = time.monotonic() + DEADLINE_S
    while processes_of(folder):
        assert time.monotonic() < deadline, processes_of(folder)
        time.sleep(0.1)


@pytest.mark.parametrize("processes", [1, 2])
def test_a_killed_training_ends_with_the_same_weights(tmp_path, processes):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert start(whole, processes).wait(DEADLINE_S) == 0, (whole / "log").read_text()
    training = start(killed, processes)
    wait_for_the_middle_of_an_epoch(killed / "states" / "joint.safetensors", training)
    kill(training, killed)
    assert not (killed / FILES[0]).exists()
    assert start(killed, processes).wait(DEADLINE_S) == 0, (killed / "log").read_text()
    assert "resumes after epoch" in (killed / "log").read_text()
    assert "steps" in (killed / "log").read_text().split("resumes after")[1].splitlines()[0]
    for name in FILES:
        assert (killed / name).read_bytes() == (whole / name).read_bytes()
