"""Saved models that predict in a process of their own, which has nothing of them but their folders.

What an engine left in memory, in the working directory or in the folder of temporary files is not there.  A
file anywhere else is, so that reading is watched: the process tells of files that were written since a given
time.  It sees what Python opens, not what compiled libraries open by themselves.
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

from polyfacet.runtime.plugins import files_of_run, use_plugins
from polyfacet.training.engines.creation import load

REQUEST, ANSWERS = "request.json", "answers.json"
# What a crash is told by.
LAST_LINES = 3
# Files that have just been written and are nobody's model.
OF_THE_SYSTEM = ("/proc/", "/sys/", "/dev/")


@dataclass(frozen=True)
class Answer:
    """What became of one model.

    Attributes
    ----------
    predicted
        A prediction for each row; None where it failed.
    error
        Why it failed.
    foreign
        Files outside of its folder, written since the given time, that it has read.
    """

    predicted: list[Any] | None
    error: str = ""
    foreign: tuple[str, ...] = ()


def predict_alone(models: Sequence[Path], rows: Sequence[pd.DataFrame], since: float) -> list[Answer]:
    """Load saved models in one process of their own, and predict rows.

    Parameters
    ----------
    models
        Their folders.
    rows
        Rows for each of them.
    since
        Time from which on files are watched, seconds since the epoch.
    """
    request = {
        "plugins": list(map(str, files_of_run())),
        "models": [str(model.resolve()) for model in models],
        "since": since,
    }
    # Not below the models: sockets of libraries that share work need a short path.
    with tempfile.TemporaryDirectory(prefix="polyfacet-") as name:
        folder = Path(name).resolve()
        (folder / REQUEST).write_text(json.dumps(request), encoding="utf-8")
        for number, frame in enumerate(rows):
            frame.to_parquet(_rows_of(folder, number))
        done = _run(folder)
        if done.returncode:
            last = " ".join(done.stderr.splitlines()[-LAST_LINES:])
            return [Answer(None, f"it ended with {done.returncode}: {last}")] * len(models)
        content = json.loads((folder / ANSWERS).read_text(encoding="utf-8"))
    return [Answer(**each) for each in content]


def _run(folder: Path) -> subprocess.CompletedProcess[str]:
    """Start the process, with a working directory and a folder of temporary files that are empty."""
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
    """Notes the files that are read and were written between a time and the start of this process."""

    def __init__(self, since: float) -> None:
        self._since, self._until = since, time.time()
        self._harmless: tuple[str, ...] = ()
        self.seen: dict[str, None] = {}

    def begin(self, *harmless: Path) -> None:
        """Begin anew; what is in some folders, and in the user's cache, may be read."""
        cache = os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()
        self._harmless = (*OF_THE_SYSTEM, *(f"{path}{os.sep}" for path in (*harmless, cache)))
        self.seen = {}

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Note a file; called by the interpreter at each of its events."""
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
    # Whatever it raises is told.
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
    (folder / ANSWERS).write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
