"""Snakemake's command line in a fork of a process that has already imported Snakemake.

Importing Snakemake and its plug-ins costs more than a second of processor time, as much as planning a run.
Jobs are processes of their own, as always.
Nothing of this project is imported before the fork, and ``sys.path`` is that of a fresh process.
"""

import json
import multiprocessing
import os
import runpy
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from multiprocessing.context import ForkServerContext
from pathlib import Path
from tempfile import TemporaryDirectory

# What Snakemake imports, some of it only after it has read its command line.
IMPORTED_BY_SNAKEMAKE = [
    "snakemake.cli",
    "snakemake.report.html_reporter",
    "snakemake.storage",
    "jsonschema",
    "nbformat",
    "pydantic",
    "smart_open",
    "tqdm",
]
PRINT_PATH = "import json, sys; print(json.dumps(sys.path[1:]))"


def forked_snakemake(
    arguments: Sequence[str], folder: Path, environment: Mapping[str, str]
) -> tuple[int | None, str]:
    """Call Snakemake like ``python -m snakemake`` in a folder; return its exit status and all its output."""
    with TemporaryDirectory() as place:
        output = Path(place) / "output"
        process = _context().Process(
            target=_snakemake, args=(list(arguments), folder, dict(environment), _path_of_python(), output)
        )
        process.start()
        process.join()
        return process.exitcode, output.read_text()


@cache
def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(IMPORTED_BY_SNAKEMAKE)
    return context


@cache
def _path_of_python() -> list[str]:
    return json.loads(subprocess.check_output([sys.executable, "-c", PRINT_PATH], text=True))


def _snakemake(
    arguments: list[str], folder: Path, environment: dict[str, str], path: list[str], output: Path
) -> None:
    stream = os.open(output, os.O_WRONLY | os.O_CREAT)
    for standard in (1, 2):
        os.dup2(stream, standard)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[:] = [str(folder), *path]
    sys.argv = ["snakemake", *arguments]
    runpy.run_module("snakemake", run_name="__main__", alter_sys=True)
