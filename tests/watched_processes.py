"""Processes that a test has started and looks at, which may end at any time."""

import psutil

# For processes to end, on a machine that does much else.
DEADLINE_S = 600


def command_line(process: psutil.Process) -> str:
    """Return the command line of a process; empty if it has ended."""
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


def browsers_of(process: psutil.Process) -> list[psutil.Process]:
    """Find the browsers that a process has started."""
    found = []
    for child in process.children(recursive=True):
        try:
            if "chrom" in child.name():
                found.append(child)
        except psutil.NoSuchProcess:
            continue
    return found
