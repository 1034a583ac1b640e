"""Killed processes, truncated files, disk errors: a plain rerun gives the same bytes, or says what to do."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import psutil
import pytest
from watched_processes import browsers_of
from workflow_copy import Workflow, copy_workflow, environment

from polyfacet.runtime.files import PART

Found = TypeVar("Found")
DEADLINE_S = 600
# Stages that take seconds, for faults that can affect any stage.
CHEAP = ("--until", "write_structures", "describe_compositions")
CHEAP_RESULTS = (
    "crystals/sample/[rs]*",  # not the statistics of the objectives, which later stages ask for
    "crystals/structures/*.parquet",
    "crystals/structures/*/*.cif",
    "crystals/text-composition/*.parquet",
)
ALL_RESULTS = (
    "report/ma*",
    "crystals/random-0/dataset/*",
    "crystals/images/*/*.png",
    "crystals/random-0/cells/*/*/*/*.parquet",
)


class Run(subprocess.Popen[bytes]):
    """A run in its own process group; its output goes to a file, as a full pipe would stop it."""

    def __init__(self, workflow: Workflow, *arguments: str) -> None:
        self.output = workflow.folder / "output-of-the-run.txt"
        with self.output.open("wb") as stream:
            super().__init__(
                workflow.command(*arguments),
                cwd=workflow.folder,
                env=environment(),
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def said(self) -> str:
        """Return its output so far."""
        return self.output.read_text()


def wait_until(reached: Callable[[], Found], run: Run) -> Found:
    """Wait until a run has reached a state, and return what was found."""
    deadline = time.monotonic() + DEADLINE_S
    while not (found := reached()):
        assert run.poll() is None, f"the run ended before it reached the state: {run.said()[-5000:]}"
        assert time.monotonic() < deadline, f"the run never reached the state: {run.said()[-5000:]}"
        time.sleep(0.05)
    return found


def processes_of(run: Run, wanted: Callable[[psutil.Process], bool]) -> list[psutil.Process]:
    """Find processes of a run, parents before their children."""
    found = []
    for process in psutil.Process(run.pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if wanted(process):
                found.append(process)
    return found


def jobs_of(run: Run, rule: str) -> list[psutil.Process]:
    """Find the processes of a run that execute the script of a rule."""

    def is_job(process: psutil.Process) -> bool:
        command = process.cmdline()
        return len(command) == 2 and command[1].endswith(f".{rule}.py")

    return processes_of(run, is_job)


def kill_one(find: Callable[[], list[psutil.Process]], run: Run) -> None:
    """Kill the first process that is found, while it still works."""

    def killed() -> bool:
        for process in find():
            with suppress(psutil.NoSuchProcess):
                process.suspend()  # so that it cannot end before it is killed
                if process.status() != psutil.STATUS_ZOMBIE:
                    process.kill()
                    return True
        return False

    wait_until(killed, run)


def kill_everything(run: Run) -> None:
    """Kill a run with all its processes, as a power loss does."""
    children = psutil.Process(run.pid).children(recursive=True)
    os.killpg(run.pid, signal.SIGKILL)
    for child in children:
        with suppress(psutil.NoSuchProcess):
            child.kill()
    run.wait()


def test_a_repeatedly_killed_run_ends_in_the_same_bytes(finished, tmp_path, faults):
    workflow = copy_workflow(tmp_path)
    results = tmp_path / "results" / "test"
    kept = results / "kept" / "crystals" / "random-0" / "cells" / "automm"

    def drawn(since: float = 0.0) -> bool:
        with suppress(FileNotFoundError):  # remains of an earlier run may disappear at any time
            pictures = results.glob("crystals/images/shard-*.part/*.png")
            return sum(path.stat().st_mtime > since for path in pictures) > 3
        return False

    def kept_cells() -> list[Path]:
        return [path for path in kept.glob("*/*/record.json") if path.parent.suffix != PART]

    with faults.trying("kill -9 of the whole run while pictures are drawn"):
        run = Run(workflow)
        wait_until(drawn, run)
        kill_everything(run)
        refused = workflow.run(check=False)
        assert "Directory cannot be locked" in refused
        assert "--unlock" in refused
        assert workflow.typed("--unlock")[0] == 0

    with faults.trying("kill -9 of the browser while pictures are drawn"):
        now = time.time()
        run = Run(workflow)
        kill_one(lambda: browsers_of(psutil.Process(run.pid)) if drawn(since=now) else [], run)
        wait_until(lambda: len(list(results.glob("crystals/images/shard-?.parquet"))) == 2, run)

    with faults.trying("kill -9 of Snakemake alone while cells are trained: its jobs go on"):
        wait_until(
            lambda: list(results.glob("crystals/random-0/cells/automm/*.scratch/automm-*/*/model/*")), run
        )
        run.kill()
        run.wait()
        assert workflow.typed("--unlock")[0] == 0

    with faults.trying("kill -9 of one job"):
        run = Run(workflow)
        (cell, *_) = wait_until(kept_cells, run)
        kill_one(lambda: jobs_of(run, "train_cells"), run)
        assert run.wait() == 1
        assert "fix the cause and run the same command again" in run.said()
        assert not results.joinpath("report", "mae.csv").exists()

    trained = cell.with_name("files") / "card.json"
    when = trained.stat().st_mtime_ns
    workflow.run()
    faults.assert_same_results(workflow, finished, ALL_RESULTS)
    assert trained.stat().st_mtime_ns == when, "a finished cell was trained again"


def test_concurrent_runs_and_a_truncated_result(finished, tmp_path, faults):
    workflow = copy_workflow(tmp_path)
    table = tmp_path / "results" / "test" / "crystals" / "sample" / "sample.parquet"

    with faults.trying("two runs at once in one folder"):
        first = Run(workflow, "--until", "sample")
        wait_until(lambda: list(tmp_path.glob(".snakemake/locks/*")), first)
        os.killpg(first.pid, signal.SIGSTOP)  # so that it cannot end before the second one begins
        second = workflow.run("--until", "sample", check=False)
        os.killpg(first.pid, signal.SIGCONT)
        assert "Directory cannot be locked" in second
        assert first.wait() == 0

    with faults.trying("a truncated intermediate table"):
        before = table.stat()
        table.write_bytes(table.read_bytes()[:-100])
        os.utime(table, ns=(before.st_atime_ns, before.st_mtime_ns))
        said = workflow.run(*CHEAP, check=False)
        assert f"{table.relative_to(tmp_path)} cannot be read" in said
        assert "Delete it and run again" in said
        table.unlink()
        workflow.run(*CHEAP)
        faults.assert_same_results(workflow, finished, CHEAP_RESULTS)


@pytest.fixture
def disk(tmp_path) -> Iterator[Callable[[str], None]]:
    """Put the results on a separate file system; return a function that changes its options."""
    folder = tmp_path / "results"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=32k", "polyfacet-test", str(folder)]
    if os.geteuid() or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("needs the right to mount a file system")
    try:
        yield lambda options: subprocess.run(["mount", "-o", f"remount,{options}", folder], check=True)
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_read_only_or_full_disk(finished, tmp_path, disk, faults):
    workflow = copy_workflow(tmp_path)

    with faults.trying("no permission to write"):
        disk("ro")
        said = workflow.run(*CHEAP, check=False)
        assert "Read-only file system" in said
        assert "results" in said

    with faults.trying("a full disk"):
        disk("rw")
        said = workflow.run(*CHEAP, check=False)
        assert "The disk is full: free some space, then run the same command again" in said
        disk("size=32m")
        workflow.run(*CHEAP)
        faults.assert_same_results(workflow, finished, CHEAP_RESULTS)


def test_a_truncated_source_stops_the_run_with_its_name(pristine, tmp_path, faults):
    damaged = tmp_path / "entries.json.bz2"
    damaged.write_bytes((pristine.folder / "embedded" / "entries.json.bz2").read_bytes()[:-1000])
    with faults.trying("a truncated source"):
        output = pristine.run(
            "--directory", str(tmp_path), "--until", "sample", "--config", f"sources=[{damaged}]", check=False
        )
        assert "truncated" in output
        assert str(damaged) in output
        assert not (tmp_path / "results" / "test" / "crystals" / "sample" / "sample.parquet").exists()
