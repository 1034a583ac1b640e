"""A study on the invented steels: repeats, kept scores, and what runs again without the results."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from project import PROJECT
from workflow_copy import copy_workflow, environment

from polyfacet.evaluation.losses import losses_on_test
from polyfacet.runtime.parquet import read_table
from polyfacet.use.study.records import TABLES, Records

START = f"import sys; sys.path.insert(0, {str(PROJECT / 'workflow')!r}); "
START += "from polyfacet.use.command import main; sys.exit(main())"
CONFIG = "config/test_tables.yaml"


def study(folder: Path, *arguments: str, check: bool = True) -> str:
    command = [sys.executable, "-c", START, "study", CONFIG, "--cores", "2"]
    done = subprocess.run(
        [*command, "--folder", "kept", *arguments],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert (done.returncode == 0) == check, done.stdout[-5000:]
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the workflow in which the first repeat of the random split has been run."""
    copied = copy_workflow(tmp_path_factory.mktemp("study")).folder
    said = study(copied, "--splits", "random", "--repeats", "1")
    assert "1 of 4 repeats are finished: kept/test_tables/README.md" in said
    return copied


def test_nothing_runs_again_where_the_results_are_gone(folder: Path):
    shutil.rmtree(folder / "results")
    page = folder / "kept" / "test_tables" / "README.md"
    before = page.read_bytes()
    study(folder, "--splits", "random", "--repeats", "1")
    assert not (folder / "results").exists()
    assert page.read_bytes() == before


def test_the_kept_scores_are_those_of_the_run(folder: Path):
    kept = Records(folder / "kept" / "test_tables")
    study(folder, "--splits", "random")
    assert kept.finished() == {("steels", "random", 0), ("steels", "random", 1)}
    scored = folder / "results" / "test_tables" / "steels" / "random-1" / "scores" / "scores.parquet"
    theirs = losses_on_test(read_table(scored, TABLES["scores"]))
    ours = losses_on_test(kept["scores"])
    cell = ["objective", "method", "combination"]
    of_repeat = ours[ours["repeat"] == 1].set_index(cell)["loss"].to_dict()
    assert len(of_repeat) == 6
    assert of_repeat == pytest.approx(theirs.set_index(cell)["loss"].to_dict(), nan_ok=True)


def test_an_unknown_split_is_named(folder: Path):
    assert "no split is named fromula; config/test_tables.yaml has random, formula" in study(
        folder, "--splits", "fromula", check=False
    )
