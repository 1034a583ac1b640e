"""Intervals of scores by a bootstrap that draws formulas.

Materials of one formula have similar properties and similar errors: drawing them one by one would make the
intervals too narrow, so all of a formula are drawn together (cluster bootstrap: Davison and Hinkley,
"Bootstrap Methods and their Application", 1997, section 3.8).
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polyfacet.evaluation.metrics import ROUNDING

Array = NDArray[np.float64]
Codes = NDArray[np.integer[Any]]
N_DRAWS = 1_000
LEVEL = 0.95
# Rows times draws that are in memory at a time.
_BLOCK = 4_000_000
# Scores are undefined in some draws: with fewer defined ones than this share, there is no interval.
_MIN_DEFINED = 0.5


def draw_formulas(n_formulas: int, seed: int, n_draws: int = N_DRAWS) -> NDArray[np.uint8]:
    """Draw as many formulas as there are, with replacement, many times.

    Returns
    -------
    numpy.ndarray
        How often each formula is in each draw, shape ``(n_draws, n_formulas)``.
    """
    rng = np.random.default_rng(seed)
    drawn = np.empty((n_draws, n_formulas), dtype=np.uint8)
    for row in drawn:
        row[:] = np.bincount(rng.integers(n_formulas, size=n_formulas), minlength=n_formulas)
    return drawn


class Resamples:
    """Resampled test rows.

    Parameters
    ----------
    drawn
        Result of `draw_formulas`, for all formulas of the source: the same draws serve all repeats, as these
        test the same materials.
    formulas
        Number of the formula of each test row, shape ``(rows,)``.
    """

    def __init__(self, drawn: NDArray[np.uint8], formulas: NDArray[np.int64]) -> None:
        self._drawn, self._formulas = drawn, formulas
        self.n_draws = len(drawn)
        self.n_formulas = len(np.unique(formulas))

    def _weights(self) -> Iterator[Array]:
        """Yield how often each row is in each draw, shape ``(rows, draws)``, for some draws at a time."""
        size = max(1, _BLOCK // max(1, len(self._formulas)))
        for start in range(0, self.n_draws, size):
            yield self._drawn[start : start + size, self._formulas].T.astype(np.float64)

    def mean(self, values: Array) -> Array:
        """Return the mean of values over the rows of each draw.

        Parameters
        ----------
        values
            Values of each row, shape ``(..., rows)``.

        Returns
        -------
        numpy.ndarray
            Means, shape ``(..., draws)``; NaN for draws without any of the rows.
        """
        with np.errstate(invalid="ignore"):
            return np.concatenate([values @ w / w.sum(axis=0) for w in self._weights()], axis=-1)

    def mean_absolute_deviation(self, values: Array) -> Array:
        """Return the mean absolute deviation from the mean in each draw, shape ``(draws,)``.

        Parameters
        ----------
        values
            Values of each row, shape ``(rows,)``.

        Returns
        -------
        numpy.ndarray
            NaN for draws whose values are all equal.
        """
        found = []
        for weights in self._weights():
            with np.errstate(invalid="ignore"):
                shares = weights / weights.sum(axis=0)
            deviation = np.abs(values[:, np.newaxis] - values @ shares)
            found.append((deviation * shares).sum(axis=0))
        spread = np.concatenate(found)
        spread[~(spread > ROUNDING * np.abs(values).max())] = np.nan
        return spread

    def macro_f1(self, true: Codes, predicted: Codes, n_classes: int) -> Array:
        """Return the mean F1 of the classes that occur among true or predicted ones.

        Parameters
        ----------
        true
            Number of the true class of each row, shape ``(rows,)``.
        predicted
            Numbers of the predicted classes of several models, shape ``(models, rows)``.

        Returns
        -------
        numpy.ndarray
            Scores, shape ``(models, draws)``.
        """
        f1 = np.empty((n_classes, len(predicted), self.n_draws))
        for number in range(n_classes):
            is_true, is_predicted = true == number, predicted == number
            right = self.mean((is_true & is_predicted).astype(np.float64))
            either = self.mean(is_true + is_predicted.astype(np.float64))
            f1[number] = np.divide(2 * right, either, where=either > 0, out=np.full_like(either, np.nan))
        n_found = np.isfinite(f1).sum(axis=0)
        total = np.nansum(f1, axis=0)
        return np.divide(total, n_found, where=n_found > 0, out=np.full_like(total, np.nan))


def interval(draws: Array, level: float = LEVEL) -> tuple[float, float]:
    """Return the limits of the percentile interval; NaN if the score is undefined in most draws.

    Parameters
    ----------
    draws
        The score in each draw, shape ``(draws,)``.
    """
    defined = draws[np.isfinite(draws)]
    if len(defined) < _MIN_DEFINED * len(draws):
        return np.nan, np.nan
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
