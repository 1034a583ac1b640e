"""A finished run is recognized without importing the packages of its jobs."""

import re
import subprocess

from workflow_copy import environment

# Each takes half a second to ten seconds to import.  Snakemake's plug-in for SLURM itself imports pandas.
OF_JOBS = {
    "ase",
    "autogluon",
    "lightning",
    "matplotlib",
    "pymatgen",
    "scipy",
    "sklearn",
    "spglib",
    "timm",
    "torch",
    "torchvision",
    "transformers",
    "xgboost",
}
IMPORTED = re.compile(r"^import time:.*\|\s+(\w+)(?:\.\S*)?$", re.MULTILINE)


def test_planning_a_finished_run_does_not_import_packages_of_its_jobs(finished):
    python, *command = finished.command()
    done = subprocess.run(
        [python, "-X", "importtime", *command],
        cwd=finished.folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Nothing to be done" in done.stderr
    imported = set(IMPORTED.findall(done.stderr))
    assert {"snakemake", "polyfacet"} <= imported
    assert not imported & OF_JOBS


def test_planning_a_finished_run_does_not_parse_the_code_of_the_project(finished):
    notes = finished.folder / ".snakemake" / "polyfacet-code.jsonl"
    assert "Nothing to be done" in finished.run()
    before = notes.read_bytes()
    assert before
    assert "Nothing to be done" in finished.run()
    assert notes.read_bytes() == before
