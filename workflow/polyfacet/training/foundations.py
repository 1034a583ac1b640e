"""Foundations that could not be made: their folder holds the reason, with which all cells fail."""

import shutil
from pathlib import Path

from polyfacet.runtime.files import write_text
from polyfacet.training.engines.base import EngineError

# In the folder of a foundation that could not be made.
FAILURE_FILE = "failed.txt"


def record_failure(folder: Path, reason: str) -> None:
    """Replace the content of a foundation's folder by the reason why it could not be made."""
    shutil.rmtree(folder)
    folder.mkdir()
    write_text(folder / FAILURE_FILE, f"{reason}\n")


def check_foundation(folder: Path | None) -> None:
    """Reject a foundation that could not be made.

    Parameters
    ----------
    folder
        Its folder; None for an engine without one.

    Raises
    ------
    EngineError
        With the reason.
    """
    if folder is not None and (folder / FAILURE_FILE).is_file():
        reason = (folder / FAILURE_FILE).read_text(encoding="utf-8").strip()
        raise EngineError(f"what all cells of the method share could not be made: {reason}")
