"""Grey levels: the values drawn as black and white for each statistic of each property."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from polyfacet.facets.compimage.properties import NAMES
from polyfacet.facets.compimage.statistics import STATISTICS, Array
from polyfacet.runtime.files import write_text

WHITE = 255
# Ranges smaller than this share of the values are rounding, not contrast.
MIN_RELATIVE_RANGE = 1e-12
# Decimals of a grey value before it is rounded: a tie up to floating-point error stays a tie, so that the
# order of summation cannot change a pixel.
TIE_DECIMALS = 9


@dataclass(frozen=True, eq=False)
class GreyLevels:
    """Values drawn as black and white, both of shape (7, properties); NaN if always drawn black."""

    low: Array
    high: Array

    @classmethod
    def fit(cls, statistics: Array) -> Self:
        """Fit to the smallest and largest value of each column, ignoring NaN.

        Parameters
        ----------
        statistics
            Statistics of the compositions to fit on, shape (compositions, 7, properties).

        Raises
        ------
        ValueError
            If there are no compositions.
        """
        low, high = np.fmin.reduce(statistics, axis=0), np.fmax.reduce(statistics, axis=0)
        with np.errstate(invalid="ignore"):  # columns of NaN, and inf - inf
            contrast = high - low > MIN_RELATIVE_RANGE * np.maximum(abs(low), abs(high))
        usable = contrast & np.isfinite(low) & np.isfinite(high)
        return cls(np.where(usable, low, np.nan), np.where(usable, high, np.nan))

    def grey(self, statistics: Array) -> NDArray[np.uint8]:
        """Return grey values 0 to 255, same shape: linear, clipped, rounded half to even; 0 for NaN."""
        with np.errstate(invalid="ignore"):  # inf - inf
            position = (statistics - self.low) / (self.high - self.low)
        level = np.rint(np.round(WHITE * np.clip(position, 0, 1), TIE_DECIMALS))
        return np.nan_to_num(level, nan=0.0).astype(np.uint8)

    def save(self, path: Path, **origin: Any) -> None:
        """Write as JSON: ``levels[property][statistic]`` is [black, white] or null; also ``origin``."""
        levels = {
            name: {
                statistic: [float(self.low[i, j]), float(self.high[i, j])]
                if np.isfinite(self.low[i, j])
                else None
                for i, statistic in enumerate(STATISTICS)
            }
            for j, name in enumerate(NAMES)
        }
        write_text(path, json.dumps({**origin, "levels": levels}, indent=1, allow_nan=False) + "\n")

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read grey levels written by `save`."""
        levels = json.loads(path.read_text(encoding="utf-8"))["levels"]
        pairs = np.array(
            [[levels[name][statistic] or (np.nan, np.nan) for name in NAMES] for statistic in STATISTICS]
        )
        return cls(pairs[..., 0], pairs[..., 1])
