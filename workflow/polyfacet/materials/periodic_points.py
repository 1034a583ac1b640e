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

    def steps_to_only(self, coords: NDArray[np.float64], within_a: float) -> NDArray[np.float64]:
        """Give the vectors from other points to the only one of these within a distance along each axis.

        Returns
        -------
        NDArray
            Fractional, shape ``(n, 3)``; not a number where there is none, or may be more than one.
        """
        places = self._wrapped(coords)
        distances, nearest = self.tree.query(places, k=2, p=np.inf, distance_upper_bound=within_a)
        is_only = np.isfinite(distances[:, 0]) & np.isinf(distances[:, 1])
        # In a period that short, an image of the same point may be near as well.
        is_only &= self.lengths.min() > 2 * within_a
        steps = np.full(places.shape, np.nan)
        steps[is_only] = (self.tree.data[nearest[is_only, 0]] - places[is_only]) / self.lengths
        return steps - np.round(steps)
