"""Report what this machine provides for the workflow, and the commands that provide what is missing.

Runs in any Python, even before the environment has been created.
"""

import importlib.metadata
import os
import platform
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from polyfacet.runtime.environment_path import PROJECT, environment_fault

LOCK = "requirements.lock"
EMBEDDED = Path("embedded/entries.json.bz2")
PYTHON_VERSIONS = ((3, 11), (3, 14))
CONDA_VERSION = (24, 7, 1)
HUB = "https://huggingface.co"
DISK_GB = 2.0
MEMORY_GB = 4.0
ANSWER_TIMEOUT_S = 10.0
HUB_TIMEOUT_S = 3.0
MAKE_ENVIRONMENT = "rm -f .venv/.installed && make setup"


class Status(Enum):
    """Meaning of a finding for the default run."""

    OK = "ok"
    # Something is missing that the default run does not need.
    OPTIONAL = "-"
    MISSING = "MISSING"


@dataclass(frozen=True)
class Finding:
    """One line of the report, and the command that fixes the problem."""

    name: str
    status: Status
    what: str
    fix: str = ""


def check_python() -> Finding:
    """Check the version of this Python."""
    version = platform.python_version()
    lowest, above = (".".join(map(str, part)) for part in PYTHON_VERSIONS)
    if PYTHON_VERSIONS[0] <= sys.version_info[:2] < PYTHON_VERSIONS[1]:
        return Finding("Python", Status.OK, f"{version}, {sys.prefix}")
    what = f"{version} is not {lowest} or newer and below {above}"
    return Finding("Python", Status.MISSING, what, "make setup PYTHON=/path/to/python3.12")


def check_place() -> Finding:
    """Check that Snakemake can start jobs with a Python at the path of the environment."""
    place = sys.executable if sys.prefix != sys.base_prefix else os.environ.get("VENV", ".venv")
    fault = environment_fault(place)
    if fault:
        what, _, fix = fault.partition(" Move ")
        return Finding("place", Status.MISSING, what, f"move {fix}")
    return Finding("place", Status.OK, str(PROJECT))


def check_environment() -> Finding:
    """Compare the installed packages with the lock file."""
    try:
        wanted = dict(_locked((PROJECT / LOCK).read_text(encoding="utf-8")))
    except ImportError:
        return Finding("environment", Status.MISSING, "not created yet", MAKE_ENVIRONMENT)
    installed = {_canonical(d.metadata["Name"]): d.version for d in importlib.metadata.distributions()}
    missing = sorted(name for name in wanted if name not in installed)
    if missing:
        what = f"{len(missing)} of {len(wanted)} packages are missing: {_some(missing)}"
        return Finding("environment", Status.MISSING, what, MAKE_ENVIRONMENT)
    # The part of a version after the plus is a build label.
    other = sorted(name for name in wanted if installed[name].split("+")[0] != wanted[name].split("+")[0])
    if other:
        what = f"versions of {len(other)} of {len(wanted)} packages differ from {LOCK}: {_some(other)}"
        return Finding("environment", Status.OPTIONAL, what, MAKE_ENVIRONMENT)
    return Finding("environment", Status.OK, f"{len(wanted)} packages as in {LOCK}")


def check_browser() -> Finding:
    """Start the browser and report its renderer."""
    try:
        from polyfacet.facets.image.browser import HeadlessBrowser  # noqa: PLC0415
        from polyfacet.runtime.errors import UserError  # noqa: PLC0415 - may not be installable yet
    except ImportError as error:
        return Finding("browser", Status.MISSING, f"its driver cannot be used ({error})", MAKE_ENVIRONMENT)
    try:
        with HeadlessBrowser() as browser:
            what = f"Chromium {browser.version}, draws with {browser.webgl_renderer}"
            slow = "SwiftShader" in browser.webgl_renderer
            reason = browser.no_sandbox
            what += f", without its sandbox ({reason})" if reason else ", in its sandbox"
    except UserError as error:
        return Finding("browser", Status.MISSING, str(error), "setup/install-browser.sh")
    if slow:
        packages = "libegl1 libegl-mesa0 libgl1-mesa-dri"
        return Finding("browser", Status.OPTIONAL, f"{what}: slow", f"sudo apt-get install {packages}")
    return Finding("browser", Status.OK, what)


def check_gpu() -> Finding:
    """Ask the NVIDIA driver for its GPUs."""
    gpus = _answer("nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader")
    if gpus:
        return Finding("GPU", Status.OK, "; ".join(gpus.splitlines()))
    what = "none: the CPU is used instead"
    return Finding(
        "GPU", Status.OPTIONAL, what, "for large runs, use a machine with an NVIDIA GPU and its driver"
    )


def check_conda() -> Finding:
    """Check that conda is installed and new enough for Snakemake."""
    found = re.search(r"(\d+)\.(\d+)\.(\d+)", _answer("conda", "--version"))
    needed = ".".join(map(str, CONDA_VERSION))
    fix = f"for --use-conda only: conda {needed} or newer, https://conda-forge.org/download/"
    if found is None:
        return Finding("conda", Status.OPTIONAL, "not found", fix)
    if tuple(map(int, found.groups())) < CONDA_VERSION:
        return Finding("conda", Status.OPTIONAL, f"{found[0]} is too old for Snakemake", fix)
    return Finding("conda", Status.OK, found[0])


def check_slurm() -> Finding:
    """Ask SLURM for its partitions."""
    absent = [name for name in ("sbatch", "sinfo") if shutil.which(name) is None]
    if absent:
        fix = "to run on a cluster, start Snakemake on a node that can submit jobs"
        return Finding("SLURM", Status.OPTIONAL, f"no {' and no '.join(absent)}", fix)
    partitions = _answer("sinfo", "--noheader", "--format=%P %D")
    if not partitions:
        return Finding("SLURM", Status.OPTIONAL, "its controller does not answer", "scontrol ping")
    return Finding("SLURM", Status.OK, "partitions and nodes: " + ", ".join(partitions.splitlines()))


def check_hub() -> Finding:
    """Check whether the Hugging Face hub answers within a few seconds."""
    endpoint = os.environ.get("HF_ENDPOINT", HUB)
    try:
        request = urllib.request.Request(endpoint, method="HEAD")  # noqa: S310 - the user's own endpoint
        urllib.request.urlopen(request, timeout=HUB_TIMEOUT_S).close()  # noqa: S310
    except urllib.error.HTTPError:
        pass  # an HTTP error is an answer, too
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        fix = "for encoders.source: hub only: connect once, or set encoders.cache to a filled cache folder"
        return Finding("Hugging Face", Status.OPTIONAL, f"{endpoint} does not answer ({reason})", fix)
    return Finding("Hugging Face", Status.OK, f"{endpoint} answers")


def check_embedded_data() -> Finding:
    """Read the embedded entries."""
    from polyfacet.runtime.errors import UserError  # noqa: PLC0415
    from polyfacet.sources.alexandria.entries import read_entries  # noqa: PLC0415 - an old Python must reach its own finding

    try:
        n_entries = sum(1 for _ in read_entries(PROJECT / EMBEDDED))
    except (OSError, UserError) as error:
        return Finding("embedded data", Status.MISSING, str(error), f"git checkout -- {EMBEDDED.parent}")
    return Finding("embedded data", Status.OK, f"{n_entries} entries in {EMBEDDED}")


def check_alexandria_data() -> Finding:
    """Count the downloaded files of entries."""
    from polyfacet.sources.alexandria.entry_files import readable_files  # noqa: PLC0415 - see check_embedded_data
    from polyfacet.sources.alexandria.remote_files import DOWNLOADS  # noqa: PLC0415

    files = readable_files(PROJECT / DOWNLOADS) if (PROJECT / DOWNLOADS).is_dir() else []
    if files:
        size_gb = sum(path.stat().st_size for path in files) / 1e9
        return Finding("Alexandria data", Status.OK, f"{len(files)} files, {size_gb:.1f} GB in {DOWNLOADS}")
    first = (
        f"snakemake --cores 1 --config 'sources=[{DOWNLOADS}/alexandria_000.json.bz2]' run_name=alexandria"
    )
    return Finding("Alexandria data", Status.OPTIONAL, f"none in {DOWNLOADS}", first)


def check_disk() -> Finding:
    """Check the free disk space for results."""
    free_gb = shutil.disk_usage(PROJECT).free / 1e9
    if free_gb >= DISK_GB:
        return Finding("disk space", Status.OK, f"{free_gb:.0f} GB free")
    what = f"{free_gb:.1f} GB free, the default run needs {DISK_GB:.0f} GB"
    return Finding("disk space", Status.MISSING, what, f"free some space on the disk of {PROJECT}")


def check_memory() -> Finding:
    """Check the memory and count the usable processor cores."""
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    what = f"{memory_gb:.0f} GB, {len(os.sched_getaffinity(0))} cores"
    if memory_gb >= MEMORY_GB:
        return Finding("memory, cores", Status.OK, what)
    fix = f"use a machine with at least {MEMORY_GB:.0f} GB"
    return Finding("memory, cores", Status.MISSING, f"{what}: too little to train", fix)


CHECKS: tuple[Callable[[], Finding], ...] = (
    check_python,
    check_place,
    check_environment,
    check_browser,
    check_embedded_data,
    check_disk,
    check_memory,
    check_gpu,
    check_conda,
    check_slurm,
    check_hub,
    check_alexandria_data,
)


def main() -> int:
    """Print one line per check; return the exit status, 0 if the default run can work."""
    findings = []
    for check in CHECKS:
        finding = check()
        findings.append(finding)
        print(f"{finding.status.value:8} {finding.name:16} {finding.what}")
        if finding.fix:
            print(f"{'':25} -> {finding.fix}")
    if any(finding.status is Status.MISSING for finding in findings):
        print("\nThe default run cannot work yet: see MISSING.")
        return 1
    print("\nThe default run can work: make run")
    return 0


def _locked(text: str) -> Iterator[tuple[str, str]]:
    """Yield name and version of each package that the lock file lists for this machine."""
    from packaging.requirements import Requirement  # noqa: PLC0415 - a bare Python does not have it

    for line in text.splitlines():
        if re.match(r"[A-Za-z0-9]", line):
            requirement = Requirement(line.rstrip(" \\"))
            if requirement.marker is None or requirement.marker.evaluate():
                yield _canonical(requirement.name), str(requirement.specifier).removeprefix("==")


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (" ..." if len(names) > 5 else "")


def _answer(command: str, *arguments: str) -> str:
    """Return the output of a command; empty if it is missing, fails, or takes too long."""
    path = shutil.which(command)
    if path is None:
        return ""
    try:
        done = subprocess.run(  # noqa: S603 - a command of the user's own PATH, with fixed arguments
            [path, *arguments], capture_output=True, text=True, timeout=ANSWER_TIMEOUT_S, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
