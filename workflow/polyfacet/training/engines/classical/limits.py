"""Limits on the features of new materials, for models that would otherwise extrapolate without bound."""

from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from polyfacet.training.engines.scaling import Array, wide_range


class WideRange(TransformerMixin, BaseEstimator):
    """Clip features that are farther outside the range of the training rows than this range is wide.

    A feature that hardly varies in the training rows (by the noise of a relaxation, say) and differs in a
    new material is otherwise thousands of standard deviations away, and a linear model multiplies that.
    """

    def fit(self, features: ArrayLike, answers: ArrayLike | None = None) -> Self:
        """Determine the limits."""
        values = validate_data(self, features, dtype=np.float64)
        self.low_, self.high_ = wide_range(values)
        return self

    def transform(self, features: ArrayLike) -> Array:
        """Move values beyond the limits to them."""
        check_is_fitted(self)
        values: Array = validate_data(self, features, dtype=np.float64, reset=False)
        return np.clip(values, self.low_, self.high_)
