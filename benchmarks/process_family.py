"""Processor time and memory of a process and its descendants, such as the stage that draws pictures."""

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress

import psutil


def cpu_seconds() -> Counter[str]:
    """Sum the processor time of this process and its descendants, by kind."""
    seconds: Counter[str] = Counter()
    for kind, process in family():
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            seconds[kind] += times.user + times.system
    return seconds


def seconds_by_process() -> dict[int, float]:
    """Return the processor time of each living descendant of this process."""
    seconds = {}
    for kind, process in family():
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            if kind != "stage":
                seconds[process.pid] = times.user + times.system
    return seconds


def megabytes() -> dict[str, float]:
    """Sum the memory of this process and its descendants, by kind; shared pages are divided among them."""
    memory: Counter[str] = Counter()
    for kind, process in family():
        with suppress(psutil.NoSuchProcess):
            memory[kind] += round(process.memory_full_info().pss / 1e6)
    return dict(memory)


def family() -> Iterator[tuple[str, psutil.Process]]:
    """Yield this process and its descendants, with their kinds."""
    own = psutil.Process(os.getpid())
    yield "stage", own
    for process in own.children(recursive=True):
        try:
            line, name = process.cmdline(), process.name()
        except psutil.NoSuchProcess:  # it has just ended
            continue
        types = [argument.removeprefix("--type=") for argument in line if argument.startswith("--type=")]
        if types:
            yield types[0], process
        elif "scene_workers" in " ".join(line):
            yield "scenes", process
        else:
            yield name, process
