"""Measures of representations of length 1: how well partners agree, and how much of the space is used.

Wang and Isola, "Understanding contrastive representation learning through alignment and uniformity on the
hypersphere" (ICML 2020); Roy and Vetterli, "The effective rank" (EUSIPCO 2007); Liang et al., "Mind the gap"
(NeurIPS 2022).
"""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def alignment(first: Array, second: Array) -> float:
    """Return the mean squared distance of partners; 0 if they agree, 2 if they are orthogonal.

    Parameters
    ----------
    first, second
        Representations of the same materials by two facets, shape ``(materials, numbers)``.
    """
    return float(((first - second) ** 2).sum(axis=1).mean())


def alignment_of_random_pairs(first: Array, second: Array) -> float:
    """Return what `alignment` is, on average, if partners are drawn at random."""
    squared = float((first**2).sum(axis=1).mean() + (second**2).sum(axis=1).mean())
    return squared - 2 * float(first.mean(axis=0) @ second.mean(axis=0))


def uniformity(represented: Array) -> float:
    """Return the logarithm of the mean Gaussian potential of pairs: 0 if all are equal, lower if spread out.

    Parameters
    ----------
    represented
        Shape ``(materials, numbers)``, at least two.
    """
    squared = np.maximum(0, 2 - 2 * represented @ represented.T)
    is_pair = ~np.eye(len(represented), dtype=bool)
    return float(np.log(np.exp(-2 * squared[is_pair]).mean()))


def effective_rank(represented: Array) -> float:
    """Return how many directions are used: the exponential of the entropy of the singular values.

    The mean is subtracted first, so that a common direction does not count; 0 if all are equal.
    """
    values = np.linalg.svd(represented - represented.mean(axis=0), compute_uv=False)
    # Of equal representations, rounding alone remains.
    if values.sum() < 1e-9 * len(represented):
        return 0.0
    shares = values[values > 0] / values.sum()
    return float(np.exp(-(shares * np.log(shares)).sum()))


def modality_gap(first: Array, second: Array) -> float:
    """Return the distance of the means of two facets."""
    return float(np.linalg.norm(first.mean(axis=0) - second.mean(axis=0)))
