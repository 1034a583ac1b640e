"""Progress of a long stage as plain lines: readable in a terminal, in a log, and with parallel jobs."""

import sys
import time
from collections.abc import Iterable, Iterator, Sized
from typing import IO, TypeVar

from tqdm import tqdm

T = TypeVar("T")

INTERVAL_S = 5.0


class _Terminal:
    """Target of progress messages: standard error before a job's output was redirected to its log file."""

    stream: IO[str] | None = None


def use_terminal(stream: IO[str]) -> None:
    """Send the progress of this process to ``stream`` from now on."""
    _Terminal.stream = stream


def tell(message: str) -> None:
    """Write one line to the terminal, and to the log if there is one."""
    for stream in {id(s): s for s in (_Terminal.stream, sys.stderr) if s is not None}.values():
        print(message, file=stream, flush=True)


def track(items: Iterable[T], label: str, total: int | None = None) -> Iterator[T]:
    """Pass items through and report progress, at most every few seconds.

    Parameters
    ----------
    items
        Items that are processed.
    label
        Name of the task, for the user ("pictures 3/8").
    total
        Number of items; ``len(items)`` by default, if it is known.

    Yields
    ------
    T
        The items, unchanged.
    """
    if total is None and isinstance(items, Sized):
        total = len(items)
    start = last = time.monotonic()
    n = 0
    for n, item in enumerate(items, start=1):
        yield item
        now = time.monotonic()
        if now - last >= INTERVAL_S:
            last = now
            _say(label, n, total, now - start)
    _say(label, n, total, time.monotonic() - start)


def _say(label: str, n: int, total: int | None, elapsed_s: float) -> None:
    tell(tqdm.format_meter(n, total or 0, elapsed_s, ncols=0, prefix=label))
