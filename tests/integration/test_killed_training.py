"""A training is killed in the middle of an epoch, and ends with the weights of one that was not."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from project import PROJECT
from rock_salts import FILES, fit, rock_salt_graphs, rock_salt_properties, write_inputs

from polyfacet.networks import loop

# Whatever else the machine does: pytest has a limit of its own.
DEADLINE_S = 1500
EPOCHS = 15
# States are written after every step.
TRAIN = """
import sys
from pathlib import Path
from test_killed_training import train

train(Path(sys.argv[1]), int(sys.argv[2]))
"""
# Python imports a module of this name when it starts, and so do all processes of a training.
HOLD = """
import json, os, signal
from pathlib import Path

replace = os.replace

def replace_and_hold(source, target, **options):
    replace(source, target, **options)
    if str(target).endswith(".safetensors.training"):
        with open(target, "rb") as file:
            header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        progress = json.loads(header["__metadata__"]["progress"])
        if progress["epoch"] >= 2 and 0 < progress["step"] < 8:
            Path(target).with_name("held").touch()
            signal.pause()

os.replace = replace_and_hold
"""


def train(folder: Path, processes: int) -> None:
    loop.SAVE_EVERY_S = 0
    training = {"epochs": EPOCHS, "batch_size": 4, "validation_fraction": 0.25, "processes": processes}
    fit(folder, training=training)


def start_and_hold(folder: Path, processes: int) -> "subprocess.Popen[bytes]":
    """Start a training that waits in the middle of its third epoch, or of a later one, once that is saved."""
    hold = folder / "hold"
    hold.mkdir()
    (hold / "sitecustomize.py").write_text(HOLD)
    places = ("workflow", "workflow/scripts", "tests", "tests/integration")
    paths = [str(hold), *(str(PROJECT / name) for name in places)]
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-c", TRAIN, str(folder), str(processes)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            stdout=log,
            stderr=subprocess.STDOUT,
        )


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


@pytest.mark.parametrize("processes", [1, 2])
def test_a_killed_training_ends_with_the_same_weights(tmp_path, processes, monkeypatch, capfd):
    monkeypatch.setattr(loop, "SAVE_EVERY_S", loop.SAVE_EVERY_S)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    graphs = rock_salt_graphs()
    for folder in (whole, killed):
        folder.mkdir()
        write_inputs(folder, graphs, rock_salt_properties(graphs))
    training = start_and_hold(killed, processes)
    train(whole, processes)
    deadline = time.monotonic() + DEADLINE_S
    while not (killed / "held").exists():
        assert training.poll() is None, (killed / "log").read_text()
        assert time.monotonic() < deadline, "the training has not come to the middle of an epoch"
        time.sleep(0.1)
    training.send_signal(signal.SIGKILL)
    training.wait()
    while processes_of(killed):
        assert time.monotonic() < deadline, processes_of(killed)
        time.sleep(0.1)
    assert not (killed / "network.safetensors").exists()
    capfd.readouterr()
    train(killed, processes)
    said = capfd.readouterr().err
    assert "resumes after epoch" in said
    assert "steps" in said.split("resumes after")[1].splitlines()[0]
    for name in FILES:
        assert (killed / name).read_bytes() == (whole / name).read_bytes()
    assert not list(killed.glob("network.safetensors.*"))
