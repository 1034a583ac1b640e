"""Records of the stages of a run: what they counted, and where their files are."""

import json
from pathlib import Path
from typing import Any

from polyfacet.runtime.files import unreadable


def read_json(path: Path) -> dict[str, Any]:
    """Read the counts of a stage; if the file is damaged, the error says to delete it."""
    try:
        return dict(json.loads(path.read_bytes()))
    except ValueError as error:
        raise unreadable(path, error) from error


def source_of(path: Path, run: Path) -> str:
    """Return the source that a file of a run belongs to: the first folder below that of the run."""
    return path.relative_to(run).parts[0]


def split_of(path: Path, run: Path) -> str:
    """Return the source, split and repeat that a file of a run belongs to."""
    return "/".join(path.relative_to(run).parts[:2])
