"""The entrance to a script: a rule's values and a command line reach main as the types it names."""

import fcntl
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from project import PROJECT

from polyfacet.job import job_arguments


class Names(dict):
    """Stand-in for Snakemake's named lists, which are indexed by name."""


def job(**groups):
    defaults = dict.fromkeys(("input", "output", "params", "wildcards"), Names())
    return SimpleNamespace(rule="r", threads=3, **{**defaults, **{k: Names(v) for k, v in groups.items()}})


def main(
    table: Path, files: list[Path], out: Path, cache: Path | None, *, size: int, threads: int, extra: int = 7
):
    """Have one parameter of each kind."""


def test_values_arrive_as_the_types_that_main_names():
    rule = job(
        input={"table": "a.parquet", "files": ["x", "y"], "cache": []},
        output={"out": "o"},
        params={"size": 5, "code": "abc"},
    )
    assert job_arguments(main, rule) == {
        "table": Path("a.parquet"),
        "files": [Path("x"), Path("y")],
        "out": Path("o"),
        "cache": None,
        "size": 5,
        "threads": 3,
    }


def test_one_file_of_a_list_is_still_a_list():
    rule = job(input={"table": "t", "files": "x", "cache": "c"}, output={"out": "o"}, params={"size": 1})
    assert job_arguments(main, rule)["files"] == [Path("x")]


def test_a_value_that_the_rule_does_not_give_is_named():
    with pytest.raises(TypeError, match="rule r gives no value for 'table'"):
        job_arguments(main, job())


def test_every_script_has_a_command_line():
    script = PROJECT / "workflow" / "scripts" / "split_materials.py"
    done = subprocess.run(
        [sys.executable, script, "--help"],
        env={"PYTHONPATH": str(PROJECT / "workflow"), "PATH": "/usr/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "--train_fraction" in done.stdout
    assert "Table of the sampled materials" in done.stdout


def test_a_mistake_of_the_user_is_one_line_without_traceback(tmp_path):
    script = PROJECT / "workflow" / "scripts" / "sample.py"
    arguments = [
        "--sources",
        f'["{tmp_path}/none.json"]',
        "--sample",
        "a",
        "--rejected",
        "b",
        "--summary",
        "c",
    ]
    settings = ["--n_materials", "all", "--seed", "1", "--filters", "{}", "--magnetization", "absolute"]
    done = subprocess.run(
        [sys.executable, script, *arguments, *settings, "--max_rejected_fraction", "0.1"],
        env={"PYTHONPATH": str(PROJECT / "workflow"), "PATH": "/usr/bin"},
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 1
    assert "none.json does not exist" in done.stderr
    assert "Traceback" not in done.stderr


JOB = """
import errno
from pathlib import Path
from types import SimpleNamespace
from polyfacet.errors import UserError
from polyfacet.job import run

def main(rejected: Path):
    rejected.write_text("agm1: too flat")
    {ends}

job = SimpleNamespace(rule="graphs", log=["graphs.log"], output={{"rejected": "graphs.rejected"}}, threads=1,
                      input={{}}, params={{}}, wildcards={{}})
run(main, job)
"""


def start(folder: Path, ends: str) -> subprocess.Popen[str]:
    """Start a job that ends in one way or another."""
    return subprocess.Popen(
        [sys.executable, "-c", JOB.format(ends=ends)],
        env={"PYTHONPATH": str(PROJECT / "workflow")},
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_stage_that_stops_keeps_its_rejects_beside_the_log_until_it_runs_again(tmp_path):
    _, said = start(tmp_path, "raise UserError('too many')").communicate()
    kept = tmp_path / "graphs.rejected.parquet"
    assert "Error: too many\nAll rejects with their reasons: graphs.rejected.parquet" in said
    assert kept.read_text() == "agm1: too flat"
    start(tmp_path, "pass").communicate()
    assert not kept.exists()


@pytest.mark.parametrize(
    ("number", "advice"),
    [("ENOSPC", "The disk is full: make room"), ("EROFS", "make it writable"), ("EACCES", "grant it")],
)
def test_what_the_system_refuses_comes_with_an_advice(tmp_path, number, advice):
    _, said = start(tmp_path, f"raise OSError(errno.{number}, 'refused', 'there')").communicate()
    assert "'there'" in said
    assert f"{advice}" in said
    assert "give the same command again" in said
    assert "Traceback" not in said


def test_a_job_waits_for_the_process_that_a_killed_run_left(tmp_path):
    with (tmp_path / "graphs.log").open("w") as log:
        fcntl.flock(log, fcntl.LOCK_EX)
        job = start(tmp_path, "pass")
        assert "waiting for its end" in job.stderr.readline()
        assert not (tmp_path / "graphs.rejected").exists()
    _, said = job.communicate()
    assert job.returncode == 0, said
    assert (tmp_path / "graphs.rejected").exists()
