"""Files of the project, for runs in another working directory and for their jobs."""

import os
from pathlib import Path

from polyfacet.runtime.environment_path import PROJECT

PACKAGE_FOLDER = PROJECT / "workflow"


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


def hand_package_to_jobs() -> None:
    """Let child processes import the package, whatever environment they run in."""
    others = [
        path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path != str(PACKAGE_FOLDER)
    ]
    os.environ["PYTHONPATH"] = os.pathsep.join([str(PACKAGE_FOLDER), *filter(None, others)])
