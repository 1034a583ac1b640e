"""The error of scikit-learn for hyperparameters that it does not take, which it keeps to itself."""

from sklearn.utils._param_validation import InvalidParameterError

from polyfacet.runtime.upstream import written_for

written_for(__name__, "scikit-learn", "1.9.1")

__all__ = ["InvalidParameterError"]
