"""Scaling of inputs and targets, fitted on training rows only."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from polyfacet.training.powers_of_two import divided, exponents_of

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Scaling:
    """Mean and standard deviation of each column, as lists that fit into JSON."""

    mean: list[float]
    deviation: list[float]

    @classmethod
    def fit(cls, values: Array) -> Self:
        """Fit on shape ``(rows, columns)``, ignoring missing values; constant columns keep their unit."""
        exponents = exponents_of(values)
        known = np.ma.masked_invalid(divided(values, exponents))
        mean = np.ldexp(known.mean(axis=0).filled(0.0), exponents)
        deviation = np.ldexp(known.std(axis=0).filled(0.0), exponents)
        return cls(mean.tolist(), np.where(deviation > 0, deviation, 1.0).tolist())

    @classmethod
    def identity(cls, n_columns: int) -> Self:
        """Leave columns unchanged; missing values become 0."""
        return cls([0.0] * n_columns, [1.0] * n_columns)

    def scale(self, values: Array) -> Array:
        """Scale columns to mean 0 and deviation 1; missing values become the mean."""
        scaled = (values - np.array(self.mean)) / np.array(self.deviation)
        return np.where(np.isfinite(scaled), scaled, 0.0)

    def restore(self, values: Array) -> Array:
        """Undo ``scale``."""
        return values * np.array(self.deviation) + np.array(self.mean)
