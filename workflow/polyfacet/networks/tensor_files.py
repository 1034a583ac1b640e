"""Read tensors that were saved with a record of what they are."""

import json
from pathlib import Path
from typing import Any, Literal

from safetensors import SafetensorError, safe_open

from polyfacet.runtime.files import unreadable


def read_tensors(
    path: Path, record_key: str, framework: Literal["pt", "numpy"]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Read a safetensors file whose metadata has a record in JSON.

    Parameters
    ----------
    path
        The file.
    record_key
        Key of the record in the metadata.
    framework
        Whether the tensors are those of PyTorch or NumPy.

    Returns
    -------
    tuple of dict
        The record, and the tensors by name.

    Raises
    ------
    UserError
        If the file is damaged; the message says to delete it.
    """
    try:
        with safe_open(path, framework=framework) as file:
            record = json.loads(file.metadata()[record_key])
            return record, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise unreadable(path, error) from error
