"""Snakemake commands: documented ones as written, and those that need no `--cores`."""

import os
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from documented_commands import documented_commands
from made_up_bundle import write_made_up_bundle
from reference_data import PLACES, reference_folder

COMMANDS = documented_commands()
# Values in commands that only the reader has, and their replacements.
READERS_OWN = {
    "sources=[/data/alexandria]": "sources=[embedded]",
    "sources=[data/reference/data/alexandria_1d]": "sources=[embedded]",
    "sources=[my_crystals]": "sources=[embedded]",
    "n_materials=N": "n_materials=150",
}
NO_DRY_RUN = {
    "--conda-create-envs-only": "creates conda environments, which needs conda and a network",
}
# Commands that plan or report and run no jobs; `--cores` has no meaning for them.
WITHOUT_CORES = {
    "--dag": r"train_combination",
    "--summary": r"tables\.md\t.*update pending",
    "--rulegraph": r"render_images",
    "--delete-all-output --dry-run": r"Building DAG",
    "--report report.html": r"Creating report",
    "--unlock": r"Unlocked working directory",
}
# Needs a finished run (`test_table_run.py` makes one); without it, Snakemake names the missing page.
REPORT, NOT_YET = "--report", "report.html marked for report but does not exist"
# Needs a package that the locked environment does not have; without it, planning says how to install it.
OPTIONAL, TO_INSTALL = "config/chgnet.yaml", "pip install chgnet=="
# The tables of these configurations are not part of the project.
NEEDS_REFERENCE = {OPTIONAL, "config/matbench.yaml", "config/mcvn.yaml", "config/mcvn_steel.yaml"}
# Answers the queries of Snakemake to conda before it plans a run.
CONDA = """#!/bin/bash
echo '{"conda_prefix": "/none", "platform": "linux-64", "root_prefix": "/none", "conda_version": "25.1.0",
       "get": {"channel_priority": "strict"}}'
"""


@pytest.fixture(scope="module")
def said(pristine, tmp_path_factory):
    """Return exit status and output of every command of this module, most of them run in parallel."""
    stubs = tmp_path_factory.mktemp("conda")
    (stubs / "conda").write_text(CONDA)
    (stubs / "conda").chmod(0o755)
    with_conda = {"PATH": f"{stubs}{os.pathsep}{os.environ['PATH']}"}
    write_made_up_bundle(pristine.folder / "bundle")
    (pristine.folder / "predict.yaml").write_text("predict: {bundle: bundle, sources: [embedded]}\n")
    if reference := reference_folder():
        (pristine.folder / "data").mkdir()
        (pristine.folder / "data" / "reference").symlink_to(reference)
    asked = {
        command: (dry(command), with_conda if "--use-conda" in command else {})
        for command in COMMANDS
        if not NO_DRY_RUN.keys() & set(command)
    }
    asked |= {name: (name.split(), {}) for name in WITHOUT_CORES}
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as threads:
        done = threads.map(lambda each: pristine.typed(*each[0], variables=each[1]), asked.values())
        outputs = dict(zip(asked, done, strict=True))
    # It locks the folder, so it must not meet `--unlock`.
    return outputs | {"--containerize": pristine.typed("--containerize", variables=with_conda)}


def dry(command):
    """Turn a documented command into its dry run; a command that runs no jobs is unchanged."""
    arguments = [READERS_OWN.get(argument, argument) for argument in command]
    return arguments if {"--dry-run", *WITHOUT_CORES} & set(arguments) else [*arguments, "--dry-run"]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_documented_commands_work_as_written(said, command):
    for option in NO_DRY_RUN.keys() & set(command):
        pytest.skip(f"{COMMANDS[command]}: {option} {NO_DRY_RUN[option]}")
    if NEEDS_REFERENCE & set(command) and reference_folder() is None:
        pytest.skip(f"{COMMANDS[command]}: needs reference data in {PLACES[0]}, see docs/reference_data.md")
    status, output = said[command]
    as_said = (REPORT in command and NOT_YET in output) or (OPTIONAL in command and TO_INSTALL in output)
    assert status == 0 or as_said, f"{COMMANDS[command]}: {output[-2000:]}"


@pytest.mark.parametrize("command", WITHOUT_CORES)
def test_commands_that_run_no_jobs_need_no_number_of_cores(said, command):
    status, output = said[command]
    assert status == 0 or (REPORT in command and NOT_YET in output), output[-2000:]
    assert re.search(WITHOUT_CORES[command], output), output[-2000:]


def test_the_environments_can_be_put_into_a_container(said, pristine):
    status, output = said["--containerize"]
    assert status == 0, output[-2000:]
    environments = {path.stem for path in (pristine.folder / "envs").glob("*.yaml")} - {"dft", "xenonpy"}
    assert environments <= set(re.findall(r"envs/(\w+)\.yaml", output))


@pytest.mark.parametrize(("cores", "threads"), [("6", 3), ("64", 8)])
def test_shards_of_pictures_share_the_cores(pristine, cores, threads):
    plan = pristine.run("--dry-run", "--cores", cores, "results/test/crystals/images/shard-0.parquet")
    (job,) = [part for part in plan.split("rule ") if part.startswith("render_images:")]
    found = re.search(r"threads: (\d+)", job)
    assert int(found[1] if found else 1) == threads
