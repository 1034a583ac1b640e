"""The entry point of scripts: values of rules and command lines reach main with its annotated types."""

import ast
import fcntl
import logging
import re
import runpy
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from project import PROJECT

from polyfacet.runtime.job import job_arguments

SCRIPTS = PROJECT / "workflow" / "scripts"


class Names(dict):
    """Replacement for Snakemake's named lists, which are indexed by name."""


def job(**groups):
    defaults = dict.fromkeys(("input", "output", "params", "wildcards"), Names())
    return SimpleNamespace(
        rule="r", threads=3, config={}, **{**defaults, **{k: Names(v) for k, v in groups.items()}}
    )


def main(
    table: Path,
    files: list[Path],
    out: Path,
    cache: Path | None,
    *,
    size: int,
    threads: int,
    more: Sequence[Path] = (),
    extra: int = 7,
):
    """Have one parameter of each kind."""


def test_values_have_the_annotated_types_of_main():
    rule = job(
        input={"table": "a.parquet", "files": ["x", "y"], "cache": [], "more": ["z"]},
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
        "more": [Path("z")],
    }


def test_one_file_of_a_list_is_still_a_list():
    rule = job(input={"table": "t", "files": "x", "cache": "c"}, output={"out": "o"}, params={"size": 1})
    assert job_arguments(main, rule)["files"] == [Path("x")]


def test_a_name_that_a_rule_uses_twice_is_an_error():
    rule = job(
        input={"table": "t", "files": "x", "cache": "c"},
        output={"out": "o"},
        params={"size": 1, "table": "u"},
    )
    with pytest.raises(TypeError, match="rule r has several values for 'table'"):
        job_arguments(main, rule)


def test_a_missing_value_of_a_rule_is_named():
    with pytest.raises(TypeError, match="rule r has no value for 'table'"):
        job_arguments(main, job())


@pytest.fixture
def command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """Return a function that runs a script as its command line does; it returns the exit status and errors.

    The script runs in this process, because a new one would import everything anew for seconds.
    """

    def run(script: str, *arguments: str) -> tuple[int, str]:
        path = SCRIPTS / f"{script}.py"
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", [str(path), *arguments])
        # A script replaces them.
        monkeypatch.setattr(logging.root, "handlers", [])
        monkeypatch.setattr(logging.root, "level", logging.root.level)
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(str(path), run_name="__main__")
        return ended.value.code, capfd.readouterr().err

    return run


def test_every_script_has_a_command_line():
    """In a process of its own, as users call it."""
    done = subprocess.run(
        [sys.executable, SCRIPTS / "split_materials.py", "--help"],
        env={"PYTHONPATH": str(PROJECT / "workflow"), "PATH": "/usr/bin"},
        capture_output=True,
        text=True,
        check=False,
        cwd=PROJECT,
    )
    assert done.returncode == 0
    assert "--train_fraction" in done.stdout
    assert "Table of the materials of a source" in done.stdout


def sample_arguments(folder: Path, **changed: object) -> list[str]:
    """Return arguments of the script that draws a sample, some of them changed."""
    given = {
        "sources": f'["{folder}/none.json"]',
        "sample": "a",
        "rejected": "b",
        "summary": "c",
        "n_materials": "all",
        "seed": 1,
        "filters": "{}",
        "magnetization": "absolute",
        "max_rejected_fraction": 0.1,
        **changed,
    }
    return [f"--{name}={value}" for name, value in given.items()]


@pytest.mark.parametrize(
    ("changed", "status", "message"),
    [
        ({}, 1, "none.json cannot be used: it does not exist"),
        ({"n_materials": "banana"}, 2, "Given value: banana"),
        ({"n_materials": -5}, 1, "n_materials = -5"),
        ({"seed": -1}, 1, "seed = -1: should be greater than or equal to 0"),
        ({"max_rejected_fraction": 7}, 1, "max_rejected_fraction = 7.0"),
        ({"filters": '{"sites_maximum": 5}'}, 1, "Did you mean"),
        ({"threads": 0}, 1, "threads = 0"),
    ],
)
def test_a_user_error_is_reported_without_traceback(command, tmp_path, changed, status, message):
    returned, said = command("sample", *sample_arguments(tmp_path, **changed))
    assert returned == status
    assert message in said
    assert "Traceback" not in said
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("none.parquet", "none.parquet does not exist"),
        ("folder", "folder is a different table"),
        ("text.csv", "text.csv cannot be read"),
        ("other.parquet", "other.parquet is a different table"),
    ],
)
def test_a_missing_or_invalid_input_raises_user_error(command, tmp_path, table, message):
    (tmp_path / "folder").mkdir()
    (tmp_path / "text.csv").write_text("mat_id,formula")
    pq.write_table(pa.table({"x": [1]}), tmp_path / "other.parquet")
    outputs = ["--choices=a", "--tests=b"]
    inputs = ["--cells_table", table, "--validation", table, "--scores", table]
    status, said = command("compare_methods", *inputs, *outputs)
    assert status == 1
    assert f"Error: {message}" in said
    assert "Traceback" not in said
    assert ("elete it" in said) is (table != "none.parquet")


def test_a_missing_text_file_is_named(command):
    status, said = command("read_composition_table", *READ_TABLE)
    assert status == 1
    assert "none.csv" in said
    assert "Traceback" not in said


READ_TABLE = (
    "--source=steels",
    '--description={"file": "none.csv", "composition": {"formula": "F"}, '
    '"objectives": {"hardness": {"column": "HV"}}}',
    "--max_rejected_fraction=0.1",
    "--sample=a",
    "--rejected=b",
    "--summary=c",
)
# Without keys in the configuration: a shard is checked against the number of shards, any repeat is valid.
UNCHECKED = {"shard", "repeat", "n_pictures", "max_text_lens"}


def test_every_number_of_a_command_line_is_checked_like_the_configuration():
    """A number whose annotation has no configuration key would be accepted unchecked."""
    scripts = sorted(SCRIPTS.glob("*.py"))
    assert len(scripts) > 25
    for script in scripts:
        functions = [node for node in ast.parse(script.read_text()).body if isinstance(node, ast.FunctionDef)]
        (main,) = [function for function in functions if function.name == "main"]
        for argument in [*main.args.args, *main.args.kwonlyargs]:
            annotation = ast.unparse(argument.annotation)
            is_number = re.search(r"\b(int|float)\b", annotation)
            assert not is_number or "Key(" in annotation or argument.arg in UNCHECKED, (
                script.name,
                argument.arg,
            )


JOB = """
import errno
from pathlib import Path
from types import SimpleNamespace
from polyfacet.runtime.errors import UserError
from polyfacet.config.entry_point import run

def main(rejected: Path):
    rejected.write_text("agm1: too flat")
    {ends}

job = SimpleNamespace(rule="graphs", config={{}}, log=["graphs.log"], threads=1,
                      output={{"rejected": "graphs.rejected"}}, input={{}}, params={{}}, wildcards={{}},
                      resources=SimpleNamespace(tmpdir="/tmp"{resources}))
run(main, job)
"""


def start(folder: Path, ends: str, resources: str = "") -> subprocess.Popen[str]:
    """Start a job whose process runs the statement `ends` at its end."""
    return subprocess.Popen(
        [sys.executable, "-c", JOB.format(ends=ends, resources=resources)],
        env={"PYTHONPATH": str(PROJECT / "workflow")},
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_failed_stage_keeps_its_rejects_next_to_the_log_until_it_is_rerun(tmp_path):
    _, said = start(tmp_path, "raise UserError('too many')").communicate()
    kept = tmp_path / "graphs.rejected.parquet"
    assert "Error: too many\nAll rejects with their reasons: graphs.rejected.parquet" in said
    assert kept.read_text() == "agm1: too flat"
    start(tmp_path, "pass").communicate()
    assert not kept.exists()


@pytest.mark.parametrize(
    ("number", "advice"),
    [("ENOSPC", "The disk is full: free some space"), ("EROFS", "make it writable"), ("EACCES", "grant it")],
)
def test_errors_of_the_operating_system_come_with_advice(tmp_path, number, advice):
    _, said = start(tmp_path, f"raise OSError(errno.{number}, 'refused', 'there')").communicate()
    assert "'there'" in said
    assert f"{advice}" in said
    assert "run the same command again" in said
    assert "Traceback" not in said


def test_a_job_waits_for_a_process_of_a_killed_run(tmp_path):
    with (tmp_path / "graphs.log").open("w") as log:
        fcntl.flock(log, fcntl.LOCK_EX)
        job = start(tmp_path, "pass")
        assert "waiting for it to finish" in job.stderr.readline()
        assert not (tmp_path / "graphs.rejected").exists()
    _, said = job.communicate()
    assert job.returncode == 0, said
    assert (tmp_path / "graphs.rejected").exists()


@pytest.mark.parametrize(("resources", "visible"), [("", "''"), (", gpu=0", "''"), (", gpu=1", "None")])
def test_a_job_sees_a_gpu_only_if_it_was_given_one(tmp_path, resources, visible):
    shown = "import os; raise UserError(repr(os.environ.get('CUDA_VISIBLE_DEVICES')))"
    _, said = start(tmp_path, shown, resources).communicate()
    assert f"Error: {visible}\n" in said
