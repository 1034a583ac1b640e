"""Functions and classes named by their place, ``module:name``: their libraries take long to import."""

from importlib import import_module, util
from pathlib import Path
from typing import Any


def file_of(place: str) -> Path:
    """Return the file of the module, without importing the module itself.

    Raises
    ------
    ValueError
        If there is no such module.
    """
    spec = util.find_spec(place.partition(":")[0])
    if spec is None or spec.origin is None:
        raise ValueError(f"there is no module for {place}")
    return Path(spec.origin)


def imported(place: str) -> Any:
    """Import the module and return the function or class."""
    module, name = place.split(":")
    return getattr(import_module(module), name)
