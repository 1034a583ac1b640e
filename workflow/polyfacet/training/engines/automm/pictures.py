"""Check pictures before training: AutoGluon silently replaces those it cannot read."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from polyfacet.materials.picture_files import read_picture
from polyfacet.runtime.errors import UserError

# AutoGluon splits the value of a picture column at this character.
_SEPARATOR = ";"


def check_pictures(frame: pd.DataFrame, columns: Sequence[str]) -> None:
    """Decode every picture of a table completely.

    Parameters
    ----------
    frame
        Rows with ``mat_id`` and the picture columns (paths).
    columns
        The picture columns.

    Raises
    ------
    UserError
        If a file is missing, damaged or cut short; names the material and the file.
    """
    for column in columns:
        for mat_id, path in zip(frame["mat_id"], frame[column], strict=True):
            _check_picture(str(mat_id), Path(path))


def _check_picture(mat_id: str, path: Path) -> None:
    if _SEPARATOR in str(path):
        raise UserError(f"material {mat_id}: AutoGluon cannot read paths with {_SEPARATOR!r}: {path}")
    read_picture(mat_id, path)
