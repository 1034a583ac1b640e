"""Where the Python of a run may be: Snakemake puts its path into command lines of the shell without quotes.

See https://github.com/snakemake/snakemake/issues/2645.  It runs in any Python, before an environment is made.
"""

import re
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[3]
# Letters of any language; everything else is a blank or means something to the shell.
_HARMLESS = re.compile(r"[\w@%+=:,./-]")


def environment_fault(path: str) -> str:
    """Say why no environment can be at a path, and what to do.

    Parameters
    ----------
    path
        Path of the environment or of its Python; relative to the project.

    Returns
    -------
    str
        Empty if the path is right.
    """
    whole = str(PROJECT / path)
    harmful = sorted(set(_HARMLESS.sub("", whole)))
    if not harmful:
        return ""
    return (
        f"The environment cannot be in {whole!r}: Snakemake would start no job, as the shell does not take "
        f"{' '.join(map(repr, harmful))} in a path as it is. Move the project to a folder without, "
        "or make the environment elsewhere: make setup VENV=/some/folder/polyfacet"
    )


if __name__ == "__main__":
    sys.exit(environment_fault(sys.argv[1]) or None)
