"""A run that is killed and started again ends in the same tables."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from workflow_copy import Workflow, copy_workflow, environment

DEADLINE_S = 600


def kill_when(workflow: Workflow, reached: Callable[[Path], bool]) -> None:
    """Start the run and kill it, with all its processes, as soon as it has got somewhere."""
    with subprocess.Popen(
        workflow.command(),
        cwd=workflow.folder,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as run:
        deadline = time.monotonic() + DEADLINE_S
        while not reached(workflow.folder / "results" / "test"):
            assert run.poll() is None, "the run ended before it could be killed"
            assert time.monotonic() < deadline, "the run never got there"
            time.sleep(0.05)
        children = psutil.Process(run.pid).children(recursive=True)
        os.killpg(run.pid, signal.SIGKILL)
        for child in children:
            if child.is_running():
                child.kill()


def rendering(results: Path) -> bool:
    """Say whether some pictures of a shard are drawn, but not all."""
    return len(list(results.glob("images/shard-*.part/*.png"))) > 3


def training(results: Path) -> bool:
    """Say whether a cell is being trained."""
    return bool(list(results.glob("split-0/cells/*/*/model.part/*")))


@pytest.mark.parametrize("reached", [rendering, training])
def test_a_killed_run_starts_again_and_ends_in_the_same_bytes(finished, tmp_path, reached):
    workflow = copy_workflow(tmp_path)
    kill_when(workflow, reached)
    assert not workflow.results("report/*.csv")
    workflow.run("--unlock")
    workflow.run()
    for pattern in ("report/ma*", "split-0/dataset/*", "images/*/*.png", "split-0/cells/*/*/*.parquet"):
        assert workflow.results(pattern) == finished.results(pattern)
        assert finished.results(pattern)
    assert not list((workflow.folder / "results").rglob("*.part"))


def test_a_damaged_source_stops_with_its_name(pristine, tmp_path):
    damaged = tmp_path / "entries.json.bz2"
    damaged.write_bytes((pristine.folder / "embedded" / "entries.json.bz2").read_bytes()[:-1000])
    output = pristine.run(
        "--directory", str(tmp_path), "--until", "sample", "--config", f"sources=[{damaged}]", check=False
    )
    assert "truncated" in output
    assert str(damaged) in output
    assert not (tmp_path / "results" / "test" / "sample" / "sample.parquet").exists()
