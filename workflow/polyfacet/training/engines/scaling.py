"""Scaling of inputs and targets, fitted on training rows only."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from polyfacet.training.powers_of_two import divided, exponents_of

Array = NDArray[np.float64]

# Of a range, relative to the values.
NOISE = float(np.finfo(np.float32).eps)


def wide_range(values: Array) -> tuple[Array, Array]:
    """Return lower and upper limits of each column of finite values, three times as far apart as its range.

    The range is in the middle.  One that single precision does not resolve is noise: both limits are its
    lower end.
    """
    low, high = values.min(axis=0), values.max(axis=0)
    width = high - low
    is_noise = width <= NOISE * np.maximum(np.abs(low), np.abs(high))
    return np.where(is_noise, low, low - width), np.where(is_noise, low, high + width)


@dataclass(frozen=True)
class Scaling:
    """Mean and standard deviation of each column, as lists that fit into JSON.

    Attributes
    ----------
    low, high
        What inputs are clipped to before they are scaled; see `wide_range`.  A column that hardly varies in
        the training rows is otherwise thousands of deviations away in a new row.  None: no limits.
    """

    mean: list[float]
    deviation: list[float]
    low: list[float] | None = None
    high: list[float] | None = None

    @classmethod
    def fit(cls, values: Array, *, limited: bool = False) -> Self:
        """Fit on shape ``(rows, columns)``, ignoring missing values; constant columns keep their unit."""
        exponents = exponents_of(values)
        known = np.ma.masked_invalid(divided(values, exponents))
        mean = np.ldexp(known.mean(axis=0).filled(0.0), exponents)
        deviation = np.ldexp(known.std(axis=0).filled(0.0), exponents)
        scaling = cls(mean.tolist(), np.where(deviation > 0, deviation, 1.0).tolist())
        if not limited:
            return scaling
        low, high = wide_range(np.where(np.isfinite(values), values, mean))
        return replace(cls.fit(np.clip(values, low, high)), low=low.tolist(), high=high.tolist())

    @classmethod
    def identity(cls, n_columns: int) -> Self:
        """Leave columns unchanged; missing values become 0."""
        return cls([0.0] * n_columns, [1.0] * n_columns)

    def scale(self, values: Array) -> Array:
        """Scale columns to mean 0 and deviation 1; missing values become the mean."""
        limited = values if self.low is None else np.clip(values, self.low, self.high)
        scaled = (limited - np.array(self.mean)) / np.array(self.deviation)
        return np.where(np.isfinite(scaled), scaled, 0.0)

    def restore(self, values: Array) -> Array:
        """Undo ``scale``."""
        return values * np.array(self.deviation) + np.array(self.mean)
