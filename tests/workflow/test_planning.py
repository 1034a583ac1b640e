"""A finished run is recognized without importing the packages of its jobs."""

import re
import subprocess
import sys

from project import PROJECT
from workflow_copy import environment

from polyfacet.runtime.project_files import NEEDED_BY_SNAKEFILE

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


# Prints the packages that the Snakefile, the rules and the project's modules import.
SPY = """
import builtins, sys
original, seen = builtins.__import__, set()

def spy(name, globals=None, locals=None, fromlist=(), level=0):
    module = globals or {}
    ours = str(module.get("__name__") or "").startswith("polyfacet")
    if level == 0 and (ours or str(module.get("__file__") or "").endswith(("Snakefile", ".smk"))):
        seen.add(name.split(".")[0])
    return original(name, globals, locals, fromlist, level)

builtins.__import__ = spy
from snakemake.cli import main
try:
    main()
except SystemExit as ended:
    print("IMPORTED", *sorted(seen - sys.stdlib_module_names))
    raise
"""


def test_planning_needs_only_packages_that_are_named_or_belong_to_snakemake(tmp_path):
    command = [
        sys.executable,
        "-c",
        SPY,
        "-s",
        str(PROJECT / "Snakefile"),
        "-d",
        str(tmp_path),
        "-n",
        "--quiet",
    ]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=True)
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("IMPORTED")]
    of_snakemake = {"pydantic", "pydantic_core", "snakemake", "yaml"}
    assert set(line.split()[1:]) - of_snakemake - {"polyfacet"} == set(NEEDED_BY_SNAKEFILE)
