"""Tests of differences over the repeats of a split, whose training parts overlap.

Repeats are not independent, so that the ordinary variance of their mean is too small.  Nadeau and Bengio
("Inference for the generalization error", Machine Learning 52, 239, 2003) correct it by the ratio of test to
training rows.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtr, stdtrit

# Level of the tests; intervals cover the rest.
ALPHA = 0.05
# Losses are of the order of 1: smaller differences between repeats are due to rounding.
ROUNDING = 1e-9


@dataclass(frozen=True)
class CorrectedMean:
    """Mean of a quantity over repeats, with the corrected standard error.

    Attributes
    ----------
    mean
        Mean over the repeats.
    error
        Standard error, ``sqrt(s^2 (1/J + n_test/n_train))`` for J repeats and the sample variance s^2; NaN
        for one repeat, and where all repeats have the same value: that a few coarse values coincide does not
        make their mean certain.
    n_repeats
        Number of repeats, J.
    """

    mean: float
    error: float
    n_repeats: int

    @classmethod
    def of(cls, values: ArrayLike, test_to_train: float) -> "CorrectedMean":
        """Summarise the values of all repeats.

        Parameters
        ----------
        values
            One value per repeat, shape ``(J,)``, J >= 1.
        test_to_train
            Number of test rows over number of training rows, in the mean over the repeats.
        """
        found = np.asarray(values, dtype=np.float64)
        n = len(found)
        if np.allclose(found, found[0], rtol=ROUNDING, atol=ROUNDING):
            return cls(float(found[0]), math.nan, n)
        return cls(float(found.mean()), float(found.std(ddof=1)) * math.sqrt(1 / n + test_to_train), n)

    @property
    def has_spread(self) -> bool:
        """Whether the repeats differ, so that there are tests and an interval."""
        return not math.isnan(self.error)

    def interval(self, level: float = 1 - ALPHA) -> tuple[float, float]:
        """Return the limits of the two-sided t interval; NaN without spread."""
        if not self.has_spread:
            return math.nan, math.nan
        half = float(stdtrit(self.n_repeats - 1, (1 + level) / 2)) * self.error
        return self.mean - half, self.mean + half

    def p_different(self) -> float:
        """Return the two-sided p value of the hypothesis that the mean is 0; NaN without spread."""
        if not self.has_spread:
            return math.nan
        return float(2 * stdtr(self.n_repeats - 1, -abs(self.mean) / self.error))

    def p_equivalent(self, margin: float) -> float:
        """Return the p value of the hypothesis that the mean is at least ``margin`` away from 0.

        Two one-sided tests: Schuirmann, "A comparison of the two one-sided tests procedure and the power
        approach for assessing the equivalence of average bioavailability", J. Pharmacokinet. Biopharm. 15,
        657 (1987).  NaN without spread.
        """
        if not self.has_spread:
            return math.nan
        # The larger of both one-sided p values is that of the nearer limit.
        return float(stdtr(self.n_repeats - 1, (abs(self.mean) - margin) / self.error))


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """Adjust p values for the number of tests of a family.

    Parameters
    ----------
    p_values
        One per hypothesis; NaN for one that could not be tested and does not count.

    Returns
    -------
    numpy.ndarray
        Adjusted p values, shape ``(hypotheses,)``: comparing them with a level controls the probability of
        any false rejection in the family (Holm, "A simple sequentially rejective multiple test procedure",
        Scand. J. Stat. 6, 65, 1979).
    """
    p = np.asarray(p_values, dtype=np.float64)
    adjusted = np.full(len(p), np.nan)
    order = np.argsort(p, kind="stable")[: int(np.isfinite(p).sum())]
    steps = p[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted
