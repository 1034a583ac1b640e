"""The entrance to a script: a rule's values and a command line reach main as the types it names."""

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
