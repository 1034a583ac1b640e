"""Vacuum in a crystal: a wide gap between neighbouring planes of atoms."""

import numpy as np
from numpy.typing import NDArray

# A wider gap between planes of atoms is vacuum.  In bulk crystals, including layered ones, gaps are below
# 5.2 A; those around calculated chains and layers are hardly ever narrower than 6 A.
MIN_VACUUM_A = 6.0


def plane_gaps(coords: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Find the gaps between neighbouring planes of atoms along one direction of a crystal.

    Parameters
    ----------
    coords
        Coordinates of the atoms along the direction, in periods, shape ``(N,)``.

    Returns
    -------
    tuple of numpy.ndarray
        Coordinates of the planes in [0, 1), in order, and the width of the gap after each, in periods;
        both of shape ``(N,)``.  Gaps between atoms of one plane are about 0.
    """
    planes = np.sort(np.mod(coords, 1.0))
    return planes, np.diff(planes, append=planes[0] + 1)
