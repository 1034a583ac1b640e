"""The workflow used from elsewhere: another Snakefile, another folder, a module, a deployment."""

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from project import PROJECT
from workflow_copy import JOB_LINE, copy_workflow, snakemake

# Uses plug-ins, so that jobs need these as well as the package.
RUN = {
    "run_name": "reuse",
    "plugins": ["plugins/facet.py", "plugins/engine.py"],
    # Files of the user, relative to the folder of the run.
    "sources": ["mine.json.bz2"],
    "tables": {
        "steels": {
            "file": "steels.csv",
            "composition": {"columns": ["C", "Mn", "Cr"], "unit": "weight_percent", "balance": "Fe"},
            "objectives": {"hardness": {"column": "Hardness"}},
        }
    },
    "n_materials": 40,
    "objectives": ["e_form"],
    "splits": {"random": {}},
    "methods": {
        "closest": {
            "engine": "closest",
            "settings": {"k": 3},
            "sources": ["crystals"],
            "combinations": ["packing"],
        },
        "mean": {"engine": "dummy"},
    },
    "report": {"reference": "mean"},
}
MODULE = """
configfile: "config/config.yaml"

module polyfacet:
    snakefile: "{snakefile}"
    config: config
    prefix: "below"

use rule * from polyfacet as polyfacet_*

rule everything:
    default_target: True
    input: rules.polyfacet_all.input
"""
ADDRESS = "https://github.com/polyfacet/polyfacet"


@dataclass(frozen=True)
class Place:
    """A user's folder and the arguments to use there."""

    folder: Path
    arguments: tuple[str, ...] = ()
    results: str = "results/reuse"

    def snakemake(self, *arguments: str, cwd: Path | None = None) -> str:
        status, output = snakemake(["--cores", "2", *self.arguments, *arguments], cwd or self.folder)
        assert status == 0, output[-5000:]
        return output

    def jobs(self) -> dict[str, int]:
        output = self.snakemake("--dry-run", "--quiet", "rules")
        jobs = {name.removeprefix("polyfacet_"): int(n) for name, n in JOB_LINE.findall(output)}
        return {name: n for name, n in jobs.items() if name not in ("all", "run", "everything", "total")}


def run(command: list[str], folder: Path) -> None:
    done = subprocess.run(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-5000:]


def write_run(folder: Path) -> None:
    """Write the files of a user: a configuration and plug-ins."""
    (folder / "config").mkdir(parents=True, exist_ok=True)
    shutil.copy2(PROJECT / "embedded" / "entries.json.bz2", folder / "mine.json.bz2")
    shutil.copy2(PROJECT / "embedded" / "invented_steels.csv", folder / "steels.csv")
    (folder / "config" / "config.yaml").write_text(yaml.safe_dump(RUN))
    shutil.copytree(PROJECT / "tests" / "extension", folder / "plugins")


def rewrite(path: Path, old: str, new: str, into: Path | None = None) -> None:
    """Replace a text that occurs once in a file, in the file itself or in a copy."""
    text = path.read_text()
    assert text.count(old) == 1
    (into or path).write_text(text.replace(old, new))


@pytest.fixture(scope="module")
def repository(tmp_path_factory) -> Path:
    """Return a git repository of the project with a tag."""
    folder = tmp_path_factory.mktemp("hosted") / "polyfacet" / "polyfacet"
    folder.mkdir(parents=True)
    copy_workflow(folder)
    author = ["-c", "user.name=A User", "-c", "user.email=user@example.org"]
    for arguments in (["init", "--quiet"], ["add", "--all"], [*author, "commit", "--quiet", "-m", "all"]):
        run(["git", *arguments], folder)
    run(["git", "tag", "v1"], folder)
    return folder


@pytest.fixture(scope="module")
def in_place(tmp_path_factory) -> Place:
    folder = tmp_path_factory.mktemp("in_place")
    copy_workflow(folder)
    write_run(folder)
    return Place(folder)


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory) -> Place:
    folder = tmp_path_factory.mktemp("elsewhere")
    write_run(folder)
    return Place(folder, ("--snakefile", str(PROJECT / "Snakefile"), "--directory", str(folder)))


@pytest.fixture(scope="module")
def module(tmp_path_factory) -> Place:
    folder = tmp_path_factory.mktemp("module")
    write_run(folder)
    (folder / "Snakefile").write_text(MODULE.format(snakefile=PROJECT / "Snakefile"))
    return Place(folder, results="below/results/reuse")


def deploy(source: str, folder: Path, *arguments: str) -> Place:
    """Deploy the workflow as the catalog describes, and write a configuration."""
    command = str(Path(sys.executable).with_name("snakedeploy"))
    run([command, "deploy-workflow", source, str(folder), *arguments], folder.parent)
    write_run(folder)
    return Place(folder)


@pytest.fixture(scope="module")
def deployed(repository, tmp_path_factory) -> Place:
    """Return a deployment from a hosting service, which git replaces by a local repository."""
    patch = pytest.MonkeyPatch()
    # Where Snakemake keeps its clones.
    patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
    patch.setenv("GIT_CONFIG_COUNT", "1")
    patch.setenv("GIT_CONFIG_KEY_0", f"url.file://{repository}.insteadOf")
    patch.setenv("GIT_CONFIG_VALUE_0", ADDRESS)
    yield deploy(ADDRESS, tmp_path_factory.mktemp("user") / "deployed", "--tag", "v1")
    patch.undo()


@pytest.fixture(scope="module")
def deployed_from_clone(repository, tmp_path_factory) -> Place:
    """Return a deployment from a path, which snakedeploy 0.17.1 writes without the folder of the clone."""
    place = deploy(str(repository), tmp_path_factory.mktemp("user") / "deployed", "--tag", "v1")
    whole = f'"{repository}/workflow/Snakefile"'
    rewrite(place.folder / "workflow" / "Snakefile", '"workflow/Snakefile"', whole)
    return place


def test_the_snakefile_for_the_catalog_plans_the_same_run(in_place):
    other = Place(in_place.folder, ("--snakefile", "workflow/Snakefile"))
    jobs = other.jobs()
    assert jobs["make_facet"]
    assert jobs == in_place.jobs()


@pytest.mark.parametrize("name", ["elsewhere", "module", "deployed", "deployed_from_clone"])
def test_every_way_of_reuse_plans_the_same_run(in_place, name, request):
    assert request.getfixturevalue(name).jobs() == in_place.jobs()


@pytest.mark.parametrize("name", ["elsewhere", "module", "deployed"])
def test_every_way_of_reuse_gives_the_same_results_once(in_place, name, request):
    place = request.getfixturevalue(name)
    for each in (in_place, place):
        each.snakemake()
    assert "Nothing to be done" in place.snakemake()
    for table in ("tables/scores.csv", "mae.csv"):
        expected = (in_place.folder / in_place.results / "report" / table).read_text()
        assert len(expected.splitlines()) > 1
        assert (place.folder / place.results / "report" / table).read_text() == expected


def test_nothing_is_written_next_to_the_snakefile(elsewhere):
    """The project's folder may belong to someone else."""
    before = {path.name for path in PROJECT.iterdir()}
    elsewhere.snakemake("--dry-run", cwd=elsewhere.folder.parent)
    assert {path.name for path in PROJECT.iterdir()} == before


def test_a_folder_without_configuration_runs_the_default(tmp_path):
    place = Place(tmp_path, ("--snakefile", str(PROJECT / "workflow" / "Snakefile")))
    output = place.snakemake("--dry-run")
    assert str(PROJECT / "embedded" / "entries.json.bz2") in output
    assert "results/default/report/report.html" in output
    splits = set(re.findall(r"results/default/crystals/([\w-]+)/split\.parquet", output))
    assert splits == {f"formula-{repeat}" for repeat in range(5)}
    assert "Using workflow specific profile" in output


def test_a_configuration_of_the_project_finds_the_files_of_the_project(tmp_path):
    place = Place(tmp_path, ("--snakefile", str(PROJECT / "Snakefile")))
    output = place.snakemake("--configfile", str(PROJECT / "config" / "test_tables.yaml"), "--dry-run")
    assert str(PROJECT / "embedded" / "invented_steels.csv") in output


def test_other_keys_of_an_enclosing_workflow_are_not_checked(module):
    """Its file may contain what the file of a run must not, for example a number with underscores."""
    folder = module.folder
    (folder / "config" / "all.yaml").write_text(yaml.safe_dump({"polyfacet": RUN}) + "release: 2024_01\n")
    rewrite(folder / "Snakefile", "config/config.yaml", "config/all.yaml", into=folder / "Combined")
    rewrite(folder / "Combined", "config: config", 'config: config["polyfacet"]')
    assert Place(folder, ("--snakefile", "Combined")).jobs() == module.jobs()


def test_a_deployed_configuration_is_checked(deployed):
    (deployed.folder / "config" / "joined.yaml").write_text("run_name: 2024_01\n")
    workflow = deployed.folder / "workflow"
    rewrite(workflow / "Snakefile", "config/config.yaml", "config/joined.yaml", into=workflow / "Joined")
    status, output = snakemake(["--dry-run", "--snakefile", "workflow/Joined"], deployed.folder)
    assert status != 0
    assert "joined.yaml, line 1: YAML reads 2024_01 as 202401" in output


def test_a_job_finds_the_package_of_its_snakefile(in_place):
    """The package is not installed in a separate environment such as one created by conda."""
    script = "import os, polyfacet; print(os.path.dirname(polyfacet.__file__))"
    (in_place.folder / "probe.smk").write_text(
        'include: "Snakefile"\n\nrule probe:\n    output: "probe.txt"\n'
        f"    shell: \"{sys.executable} -c '{script}' > {{output}}\"\n"
    )
    in_place.snakemake("--snakefile", "probe.smk", "probe")
    assert (in_place.folder / "probe.txt").read_text().strip() == str(
        in_place.folder / "workflow" / "polyfacet"
    )
