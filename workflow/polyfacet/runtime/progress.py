"""Progress of a long stage as plain lines: readable in a terminal, in a log, with jobs side by side."""

import sys
import time
from collections.abc import Iterable, Iterator, Sized
from typing import IO, TypeVar

from tqdm import tqdm

T = TypeVar("T")

INTERVAL_S = 5.0


class _Terminal:
    """Where progress goes: standard error as it was before a job's output was sent to its log file."""

    stream: IO[str] | None = None


def use_terminal(stream: IO[str]) -> None:
    """Send the progress of this process to ``stream`` from now on."""
    _Terminal.stream = stream


def tell(message: str) -> None:
    """Write one line to the person at the terminal, and to the log as well when there is one."""
    for stream in {id(s): s for s in (_Terminal.stream, sys.stderr) if s is not None}.values():
        print(message, file=stream, flush=True)


def track(items: Iterable[T], label: str, total: int | None = None) -> Iterator[T]:
    """Pass items through and say, at most every few seconds, how far they are.

    Parameters
    ----------
    items
        What is worked through.
    label
        What it is, as the user knows it ("pictures 3/8").
    total
        How many there are; taken from ``len(items)`` where it has one.

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
