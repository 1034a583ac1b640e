"""The benchmark that runs what needs a GPU: its parts, tried on the processor, and its page."""

import json
import subprocess
import sys

import pytest
from project import PROJECT

SCRIPT = PROJECT / "benchmarks" / "on_gpu.py"
PAGE = PROJECT / "docs" / "gpu.md"
PARTS = ("Lattice sums", "Graph embeddings", "Training step of the graph network", "Structure pictures")


def run(*options):
    return subprocess.run(
        [sys.executable, SCRIPT, *options],
        env={"PYTHONPATH": str(PROJECT / "workflow"), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_page_tells_when_it_last_ran_or_that_it_never_did():
    page = PAGE.read_text(encoding="utf-8")
    assert ("Last run: 20" in page) != ("never run on a GPU" in page)
    assert all(f"| {part} |" in page for part in PARTS)


def test_a_run_on_the_processor_does_not_write_the_page_of_runs_on_a_gpu():
    before = PAGE.read_bytes()
    done = run("--device", "cpu")
    assert done.returncode == 2
    assert "name a --page" in done.stderr
    assert PAGE.read_bytes() == before


def test_a_part_compares_the_device_with_the_processor():
    done = run("--device", "cpu", "--part", "lattice_sums")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.removeprefix("RESULT "))
    assert result["largest relative difference"].startswith("0.0e+00")
    assert "crystals per second" in result


@pytest.mark.long
@pytest.mark.usefixtures("browser")
def test_all_parts_run_on_the_processor(tmp_path):
    done = run("--device", "cpu", "--page", tmp_path / "page.md")
    assert done.returncode == 0, done.stdout + done.stderr
    page = (tmp_path / "page.md").read_text(encoding="utf-8")
    assert "never run on a GPU" in page
    assert "skipped" not in page
