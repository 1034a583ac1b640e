"""Express numbers of any unit as multiples of a power of two, which changes no digit.

In floating point, squares of numbers below 1e-162 are zero, and those of numbers above 1e154 infinite.
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def exponents_of(values: Array) -> NDArray[np.int32]:
    """Return the exponent of the power of two above each column's largest finite size; 0 if all are zero.

    Parameters
    ----------
    values
        Shape ``(rows,)`` or ``(rows, columns)``; the result has shape ``()`` or ``(columns,)``.
    """
    sizes = np.where(np.isfinite(values), np.abs(values), 0.0)
    return np.asarray(np.frexp(sizes.max(axis=0, initial=0.0))[1])


def divided(values: Array, exponents: NDArray[np.int32] | int) -> Array:
    """Divide each column by its power of two."""
    return np.asarray(np.ldexp(values, np.negative(exponents)), dtype=np.float64)


def near_one(values: Array) -> Array:
    """Divide each column by the power of two just above its largest number."""
    return divided(values, exponents_of(values))
