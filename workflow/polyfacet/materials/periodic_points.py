"""Search for points of a cell near other points, also across the faces of the cell."""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree


class PeriodicPoints:
    """The points of a cell, searchable by distance along each axis.

    Parameters
    ----------
    coords
        Fractional coordinates, shape ``(n, 3)``.
    lengths
        Length of a period along each axis, A, shape ``(3,)``.
    """

    def __init__(self, coords: NDArray[np.float64], lengths: NDArray[np.float64]) -> None:
        self.lengths = lengths
        self.tree = cKDTree(self._wrapped(coords), boxsize=lengths)

    def _wrapped(self, coords: NDArray[np.float64]) -> NDArray[np.float64]:
        # The remainder of a small negative number may be rounded to 1, which is outside the box.
        return np.clip((coords % 1.0) * self.lengths, 0, self.lengths * (1 - 1e-15))

    def are_near(self, coords: NDArray[np.float64], within_a: float) -> NDArray[np.bool_]:
        """Return which points have one of these within a distance along each axis, shape ``(n,)``."""
        distances, _ = self.tree.query(self._wrapped(coords), p=np.inf, distance_upper_bound=within_a)
        return np.isfinite(distances)

    def steps_to_only(self, coords: NDArray[np.float64], within_a: float) -> NDArray[np.float64]:
        """Return the vectors from other points to the only one of these within a distance along each axis.

        Returns
        -------
        NDArray
            Fractional, shape ``(n, 3)``; NaN where there is none, or may be more than one.
        """
        places = self._wrapped(coords)
        distances, nearest = self.tree.query(places, k=2, p=np.inf, distance_upper_bound=within_a)
        is_only = np.isfinite(distances[:, 0]) & np.isinf(distances[:, 1])
        # If a period is shorter, an image of the same point may also be near.
        is_only &= self.lengths.min() > 2 * within_a
        steps = np.full(places.shape, np.nan)
        steps[is_only] = (self.tree.data[nearest[is_only, 0]] - places[is_only]) / self.lengths
        return steps - np.round(steps)
