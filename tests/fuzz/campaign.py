"""Run many hostile cases: counted, reproducible, and watched for writes outside the folder."""

import os
import random
import resource
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# Slow cases and cases that use up the memory must be noticed.
CASE_LIMIT_S = 20
MEMORY_LIMIT_BYTES = 6 << 30
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
STARTING = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "socket.connect")
CHANGING = (
    "os.mkdir",
    "os.rename",
    "os.remove",
    "os.rmdir",
    "os.symlink",
    "os.link",
    "os.truncate",
    "os.chmod",
)


class TooSlowError(Exception):
    """A case that exceeded the time limit."""


class WatchError(Exception):
    """A write outside the folder, a process or a connection."""


@dataclass(frozen=True)
class Target:
    """A reader of external input.

    Parameters
    ----------
    share
        Share of the cases of a run.
    document
        Draws a hostile document.
    read
        Reads it, in a folder for scratch files; returns the reason if it was rejected.
    """

    share: float
    document: Callable[[random.Random], Any]
    read: Callable[[Any, Path], str | None]


@dataclass
class Findings:
    """Results of the cases of one target.

    Attributes
    ----------
    outcomes
        Number of cases by outcome: ``taken``, or the reason for rejection.
    unexpected
        Number of the first case that raised each error.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    unexpected: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0


def attack(name: str, target: Target, cases: range, seed: int, folder: Path) -> Findings:
    """Feed many documents to a target; the same seed and number give the same document."""
    findings = Findings()
    start = time.process_time()
    for number in cases:
        rng = random.Random(f"{seed} {name} {number}")
        document = target.document(rng)
        try:
            with _in_time():
                findings.outcomes[target.read(document, folder) or "taken"] += 1
        except Exception as error:
            findings.outcomes["finding"] += 1
            findings.unexpected.setdefault(_signature(error), number)
    findings.seconds = time.process_time() - start
    return findings


def refused(reason: str, error: Exception, mentioned: str = "") -> str:
    """Check that a message can be shown and written to a table of rejects."""
    message = str(error)
    assert message
    assert mentioned in message
    message.encode("utf-8")
    return reason


def limit_memory() -> None:
    """Make a case fail, instead of the machine, if it uses up the memory."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES))


@contextmanager
def watched(folder: Path) -> Iterator[None]:
    """Forbid writes outside a folder, new processes and connections while the context lasts."""
    allowed = (str(folder.resolve()) + os.sep, os.devnull)
    active = True

    def check(event: str, arguments: tuple[Any, ...]) -> None:
        if not active:
            return
        writes = event in CHANGING or (
            event == "open" and isinstance(arguments[2], int) and arguments[2] & WRITING
        )
        if writes and isinstance(arguments[0], str | bytes | os.PathLike):
            path = os.path.realpath(os.fsdecode(arguments[0]))
            if not path.startswith(allowed):
                raise WatchError(f"{event} {path}")
        elif event in STARTING:
            raise WatchError(f"{event} {arguments[0]!r}")

    sys.addaudithook(check)
    try:
        yield
    finally:
        active = False


@contextmanager
def _in_time() -> Iterator[None]:
    def stop(*_: Any) -> None:
        raise TooSlowError(f"more than {CASE_LIMIT_S} s")

    # CPU time: a busy machine does not slow a case down, and pytest-timeout uses the wall clock.
    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, CASE_LIMIT_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _signature(error: Exception) -> str:
    """Identify an error by its type and innermost location, so that equal ones count once."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    where = f"{Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}" if trace else ""
    return f"{type(error).__name__} at {where}: {ascii(str(error))[:120]}"
