"""Reject the cell of a CIF that contradicts itself or the stated symmetry."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polyfacet.sources.structures.cif_form import CELL
from polyfacet.sources.values import InvalidEntryError, as_float, shown

VOLUME = "_cell_volume"
# The parser knows these from the crystal system, or says that they are missing.
UNKNOWN = (None, "?", ".")
MAX_ANGLE = 180.0
# Lengths, angles and volumes are rounded; relaxed cells deviate a little from their symmetry.
VOLUME_WITHIN = 2e-2
METRIC_WITHIN = 2e-2


def check_values(stated: Mapping[str, Any]) -> None:
    """Reject lengths and angles that no cell has."""
    for key in CELL:
        value = _number(stated.get(key))
        if value is None and stated.get(key) not in UNKNOWN:
            raise InvalidEntryError(f"the CIF cannot be read: {key} is {shown(stated[key])}, not a number")
        if value is not None and not 0 < value < (MAX_ANGLE if "angle" in key else np.inf):
            between = "between 0 and 180" if "angle" in key else "above 0"
            raise InvalidEntryError(f"the CIF cannot be read: {key} is {shown(stated[key])}, not {between}")


def check_volume(stated: Mapping[str, Any], volume: float) -> None:
    """Reject a stated volume that the cell, with this volume in A^3, does not have."""
    value = _number(stated.get(VOLUME))
    if value and abs(value - volume) > VOLUME_WITHIN * volume:
        raise InvalidEntryError(
            f"the CIF states {VOLUME} {shown(stated[VOLUME])}, but the volume of its cell is {volume:.6g} A^3"
        )


def check_symmetry_of_cell(rotations: NDArray[np.float64], matrix: NDArray[np.float64]) -> None:
    """Reject a cell that rotations do not map onto itself.

    Parameters
    ----------
    rotations
        Rotations of fractional coordinates; shape (n, 3, 3).
    matrix
        Lattice vectors, A; shape (3, 3).
    """
    if len(rotations) == 1:
        return
    metric = matrix @ matrix.T
    lengths = np.sqrt(metric.diagonal())
    away = abs(rotations.transpose(0, 2, 1) @ metric @ rotations - metric) / np.outer(lengths, lengths)
    if away.max() > METRIC_WITHIN:
        raise InvalidEntryError(
            "the lengths and angles of the cell do not have the symmetry that the CIF states: correct the "
            "cell, or list the operations of its setting (another axis, or "
            "rhombohedral instead of hexagonal axes)"
        )


def _number(text: Any) -> float | None:
    """Return a number without its uncertainty in brackets."""
    return as_float(text.partition("(")[0]) if isinstance(text, str) else None
