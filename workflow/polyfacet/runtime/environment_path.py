"""Check the path of a run's Python: Snakemake inserts it into shell commands without quotes.

See https://github.com/snakemake/snakemake/issues/2645.  Runs in any Python, before the environment exists.
"""

import re
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[3]
# Letters of any language; everything else is white space or special to the shell.
_HARMLESS = re.compile(r"[\w@%+=:,./-]")


def environment_fault(path: str) -> str:
    """Explain why an environment cannot be at a path, and what to do.

    Parameters
    ----------
    path
        Path of the environment or of its Python, relative to the project.

    Returns
    -------
    str
        Empty if the path is fine.
    """
    whole = str(PROJECT / path)
    harmful = sorted(set(_HARMLESS.sub("", whole)))
    if not harmful:
        return ""
    return (
        f"The environment cannot be in {whole!r}: Snakemake could not start any job, because it does not "
        f"quote {' '.join(map(repr, harmful))} for the shell. Move the project to a folder without such "
        "characters, or create the environment elsewhere: make setup VENV=/some/folder/polyfacet"
    )


if __name__ == "__main__":
    sys.exit(environment_fault(sys.argv[1]) or None)
