"""Points of a cell that are looked for near other points, across the faces of the cell as well."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree


class PeriodicPoints:
    """The points of a cell, found by their distance along each axis.

    Parameters
    ----------
    coords
        Fractional coordinates, shape ``(n, 3)``.
    lengths
        What a period along each axis counts, A, shape ``(3,)``.
    """

    def __init__(self, coords: NDArray[np.float64], lengths: NDArray[np.float64]) -> None:
        self.lengths = lengths
        self.tree = cKDTree(self._wrapped(coords), boxsize=lengths)

    def _wrapped(self, coords: NDArray[np.float64]) -> NDArray[np.float64]:
        # Rounding may take the remainder of a small negative number to 1, which is outside of the box.
        return np.clip((coords % 1.0) * self.lengths, 0, self.lengths * (1 - 1e-15))

    def are_near(self, coords: NDArray[np.float64], within_a: float) -> NDArray[np.bool_]:
        """Tell which of other points have one of these within a distance along each axis, shape ``(n,)``."""
        distances, _ = self.tree.query(self._wrapped(coords), p=np.inf, distance_upper_bound=within_a)
        return np.isfinite(distances)
