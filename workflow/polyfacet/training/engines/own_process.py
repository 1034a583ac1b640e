"""Predict with saved models in a separate process that has only their folders.

Anything that an engine left in memory, the working directory or the temporary folder is unavailable.  A
file anywhere else is available, so reads are watched: the process reports files written since a given
time.  It sees files that Python opens, not those that compiled libraries open themselves.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from stat import S_ISREG
from typing import Any

import pandas as pd

from polyfacet.runtime.files import write_text
from polyfacet.runtime.plugins import files_of_run, use_plugins
from polyfacet.training.engines.creation import load

REQUEST, ANSWERS = "request.json", "answers.json"
# Number of last lines of stderr that report a crash.
LAST_LINES = 3
# Recently written files that do not belong to a model.
OF_THE_SYSTEM = ("/proc/", "/sys/", "/dev/")


@dataclass(frozen=True)
class Answer:
    """Outcome of one model.

    Attributes
    ----------
    predicted
        A prediction for each row; None on failure.
    error
        Reason of the failure.
    foreign
        Files outside its folder, written since the given time, that it has read.
    """

    predicted: list[Any] | None
    error: str = ""
    foreign: tuple[str, ...] = ()


def predict_alone(models: Sequence[Path], rows: Sequence[pd.DataFrame], since: float) -> list[Answer]:
    """Load saved models in one separate process, and predict rows.

    Parameters
    ----------
    models
        Their folders.
    rows
        Rows for each model.
    since
        Time since which written files are watched, seconds since the epoch.
    """
    request = {
        "plugins": list(map(str, files_of_run())),
        "models": [str(model.resolve()) for model in models],
        "since": since,
    }
    # Not below the models: sockets of parallel libraries need a short path.
    with tempfile.TemporaryDirectory(prefix="polyfacet-") as name:
        folder = Path(name).resolve()
        (folder / REQUEST).write_text(json.dumps(request), encoding="utf-8")
        for number, frame in enumerate(rows):
            frame.to_parquet(_rows_of(folder, number))
        done = _run(folder)
        # Threads of a library may abort a process that has already answered.
        if done.returncode and not (folder / ANSWERS).exists():
            last = " ".join(done.stderr.splitlines()[-LAST_LINES:])
            return [Answer(None, f"it exited with {done.returncode}: {last}")] * len(models)
        content = json.loads((folder / ANSWERS).read_text(encoding="utf-8"))
    return [Answer(**each) for each in content]


def _run(folder: Path) -> subprocess.CompletedProcess[str]:
    """Start the process with an empty working directory and temporary folder."""
    here, temporary = folder / "here", folder / "temporary"
    here.mkdir()
    temporary.mkdir()
    return subprocess.run(  # noqa: S603 - this Python, with fixed arguments
        [sys.executable, "-m", __name__, str(folder)],
        cwd=here,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(map(os.path.abspath, sys.path)),
            **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(temporary)),
        },
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )


def _rows_of(folder: Path, number: int) -> Path:
    return folder / f"rows-{number}.parquet"


class _Watch:
    """Records files that are read and were written between a given time and the start of this process."""

    def __init__(self, since: float) -> None:
        self._since, self._until = since, time.time()
        self._harmless: tuple[str, ...] = ()
        self.seen: dict[str, None] = {}

    def begin(self, *harmless: Path) -> None:
        """Restart recording; files in the given folders and in the user's cache may be read."""
        cache = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
        self._harmless = (*OF_THE_SYSTEM, *(f"{path}{os.sep}" for path in (*harmless, cache)))
        self.seen = {}

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Record a file; called by the interpreter at each audit event."""
        if event != "open" or not isinstance(arguments[0], str | bytes):
            return
        path = os.path.realpath(os.fsdecode(arguments[0]))
        only_reads = arguments[2] & os.O_ACCMODE == os.O_RDONLY
        if only_reads and not path.startswith(self._harmless) and not path.endswith(".pyc"):
            try:
                found = Path(path).stat()
            except OSError:
                return
            if S_ISREG(found.st_mode) and self._since <= found.st_mtime < self._until:
                self.seen[path] = None


def _answer(model: Path, rows: Path, watch: _Watch) -> Answer:
    frame = pd.read_parquet(rows)
    watch.begin(model, rows.parent)
    try:
        predicted = load(model).predict(frame).tolist()
    # Any exception is reported.
    except Exception as error:
        return Answer(None, f"{type(error).__name__}: {error}", tuple(watch.seen))
    return Answer(predicted, foreign=tuple(watch.seen))


def main(folder: Path) -> None:
    """Answer the request in a folder; the process does nothing else."""
    request = json.loads((folder / REQUEST).read_text(encoding="utf-8"))
    models = [Path(model) for model in request["models"]]
    watch = _Watch(request["since"])
    sys.addaudithook(watch)
    use_plugins(request["plugins"])
    answers = [_answer(model, _rows_of(folder, number), watch) for number, model in enumerate(models)]
    content = json.dumps([asdict(answer) for answer in answers])
    write_text(folder / ANSWERS, content)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
