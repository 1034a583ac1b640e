"""A training in a process of its own that waits in the middle of an epoch, and is killed there."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from project import PROJECT

# Whatever else the machine does: pytest has a limit of its own.
DEADLINE_S = 1500
# Python imports a module of this name when it starts, and so do all processes of a training.
HOLD = """
import json, os, signal
from pathlib import Path

replace = os.replace

def replace_and_hold(source, target, **options):
    replace(source, target, **options)
    if Path(target).name == STATE:
        with open(target, "rb") as file:
            header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        progress = json.loads(header["__metadata__"]["progress"])
        if progress["epoch"] >= 2 and 0 < progress["step"] < 8:
            Path(FOLDER, "held").touch()
            signal.pause()

os.replace = replace_and_hold
"""


def start_and_hold(module: str, folder: Path, processes: int, state: str) -> "subprocess.Popen[bytes]":
    """Start a training that waits in the middle of its third epoch, or of a later one, once that is saved.

    Parameters
    ----------
    module
        Module of a test whose function ``train`` takes a folder and a number of processes, and saves its
        state after every step.
    folder
        Folder of the training.
    processes
        Number of its processes.
    state
        Name of the file of its state.
    """
    hold = folder / "hold"
    hold.mkdir()
    (hold / "sitecustomize.py").write_text(f"STATE, FOLDER = {state!r}, {str(folder)!r}\n{HOLD}")
    places = ("workflow", "workflow/scripts", "tests", "tests/integration")
    paths = [str(hold), *(str(PROJECT / name) for name in places)]
    imports = f"import sys; from pathlib import Path; from {module} import train"
    script = f"{imports}; train(Path(sys.argv[1]), {processes})"
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-c", script, str(folder)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            stdout=log,
            stderr=subprocess.STDOUT,
        )


def kill_once_held(training: "subprocess.Popen[bytes]", folder: Path) -> None:
    """Kill a training that waits, and wait until all its processes have ended."""
    deadline = time.monotonic() + DEADLINE_S
    while not (folder / "held").exists():
        assert training.poll() is None, (folder / "log").read_text()
        assert time.monotonic() < deadline, "the training has not come to the middle of an epoch"
        time.sleep(0.1)
    training.send_signal(signal.SIGKILL)
    training.wait()
    while found := _processes_of(folder):
        assert time.monotonic() < deadline, found
        time.sleep(0.1)


def _processes_of(folder: Path) -> list[str]:
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
