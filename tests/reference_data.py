"""Location of real data and reference numbers, which are not part of the project."""

import os
from pathlib import Path

from project import PROJECT

NAMED = os.environ.get("POLYFACET_REFERENCE")
PLACES = [Path(NAMED)] if NAMED else [PROJECT / "data" / "reference", PROJECT.parent / "shared"]


def reference_folder() -> Path | None:
    """Return the folder of the reference data; None if there is none."""
    return next((folder for folder in PLACES if folder.is_dir()), None)
