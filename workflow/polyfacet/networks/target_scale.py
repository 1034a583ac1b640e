"""A common scale for the properties that a network is trained on, robust to outliers and constants."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray

# Smaller distances from the median are rounding, in the unit of the property or relative to the median.
ROUNDING = 1e-9
# Quantile of the distances (beyond rounding) from the median; the spread limits larger distances to it.
OUTLIER_QUANTILE = 0.95
# Scaled values are limited to this magnitude.
LARGEST = 10.0


@dataclass(frozen=True, eq=False)
class TargetScale:
    """Centre and spread of each property over the training materials.

    The scaled value of a property is ``z = (y - c) / s``, limited to ``-10 <= z <= 10``.  ``c`` is the median
    of the known values; ``s`` is the root mean square of ``min(|y - c|, d)``, where ``d`` is the 95th
    percentile of ``|y - c|`` over the materials whose value differs from the median.

    - A mean of ``|y - c|`` would be wrong if most values are the same: with 7 % magnetic materials it is a
      fourteenth of a typical moment, and the magnetic materials would weigh fourteen times as much as the
      others.  The root mean square is a quarter of a typical moment, as for a variable that is 0 or 1.
    - A median of ``|y - c|`` would be wrong for long tails, where half of the values lie close to the median.
    - ``d`` keeps a few absurd values from dominating the scale; the limit keeps them from dominating the
      loss.

    Parameters
    ----------
    centre, spread
        Shape ``(properties,)``, in the units of the properties.
    learnable
        Whether at least one known value differs from the median by more than rounding, shape
        ``(properties,)``.  The other properties cannot be learned, nor can their errors be measured.
    """

    centre: NDArray[np.float64]
    spread: NDArray[np.float64]
    learnable: NDArray[np.bool_]

    @classmethod
    def fit(cls, values: NDArray[np.float64]) -> Self:
        """Fit on values of shape ``(materials, properties)``; values that are not finite are unknown."""
        scales = [_centre_and_spread(column[np.isfinite(column)]) for column in values.T]
        centre, spread = np.array(scales, dtype=np.float64).reshape(-1, 2).T
        learnable = (spread > 0) & np.isfinite(spread)
        return cls(centre, np.where(learnable, spread, 1.0), learnable)

    def normalise(self, values: NDArray[np.float64]) -> torch.Tensor:
        """Scale values of shape ``(materials, properties)``, in single precision.

        Unknown values and properties that are not learnable become NaN; values that differ from the median by
        no more than rounding become exactly 0.
        """
        deviation = np.where(np.isfinite(values) & self.learnable, values - self.centre, np.nan)
        deviation = np.where(np.abs(deviation) <= _rounding(self.centre), 0.0, deviation)
        return torch.tensor(np.clip(deviation / self.spread, -LARGEST, LARGEST), dtype=torch.float32)

    def restore(self, scaled: NDArray[np.float64]) -> NDArray[np.float64]:
        """Convert scaled predictions back to the units of the properties."""
        return scaled * self.spread + self.centre


def _centre_and_spread(known: NDArray[np.float64]) -> tuple[float, float]:
    """Return the median of the known values and the spread around it; 0 if all equal the median."""
    if not len(known):
        return 0.0, 0.0
    centre = np.median(known)
    deviation = np.abs(known - centre)
    telling = deviation[deviation > _rounding(np.asarray(centre))]
    if not len(telling):
        return float(centre), 0.0
    limit = np.quantile(telling, OUTLIER_QUANTILE, method="lower")
    return float(centre), float(np.sqrt(np.mean(np.minimum(deviation, limit) ** 2)))


def _rounding(centre: NDArray[np.float64]) -> NDArray[np.float64]:
    return ROUNDING * (1 + np.abs(centre))
