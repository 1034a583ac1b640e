"""Files of the project, for runs in another working directory and for their jobs."""

import importlib.util
import os
from pathlib import Path

from polyfacet.runtime.environment_path import PROJECT

PACKAGE_FOLDER = PROJECT / "workflow"
# What reading the Snakefile needs in addition to Snakemake and its own requirements.
NEEDED_BY_SNAKEFILE = ("numpy", "pandas", "pyarrow", "tqdm")


def located(path: str) -> str:
    """Find a file in the working directory or, if it is not there, in the project.

    Parameters
    ----------
    path
        Absolute, or relative to either of them.

    Returns
    -------
    str
        The absolute path of a file that only the project has; otherwise the path as given.
    """
    in_project = PROJECT / path
    return str(in_project) if in_project.is_file() and not Path(path).exists() else path


def missing_packages() -> str:
    """Return what to install if packages that the Snakefile needs are missing; empty if none are."""
    missing = [name for name in NEEDED_BY_SNAKEFILE if importlib.util.find_spec(name) is None]
    if not missing:
        return ""
    return (
        f"The environment of Snakemake lacks {' and '.join(missing)}, with which Polyfacet plans a run. "
        f"Install them beside Snakemake (pip install {' '.join(missing)}), or use the locked environment of "
        "the project (make setup)."
    )


def hand_package_to_jobs() -> None:
    """Let child processes import the package, whatever environment they run in."""
    others = [
        path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path != str(PACKAGE_FOLDER)
    ]
    os.environ["PYTHONPATH"] = os.pathsep.join([str(PACKAGE_FOLDER), *filter(None, others)])
