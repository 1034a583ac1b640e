"""The private error that scikit-learn raises for invalid hyperparameters."""

from sklearn.utils._param_validation import InvalidParameterError

from polyfacet.runtime.upstream import written_for

written_for(__name__, "scikit-learn", "1.9.1")

__all__ = ["InvalidParameterError"]
