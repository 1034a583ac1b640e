"""How far two networks agree on what contributes: rank correlations of contributions, per material."""

from collections.abc import Sequence

import numpy as np
from scipy.stats import rankdata

from polyfacet.training.engines.explaining import Array

# Of fewer units, ranks say nothing.
FEWEST_UNITS = 3


def agreement(ours: Sequence[Array], theirs: Sequence[Array]) -> Array:
    """Return Spearman's correlation between the contributions of both networks.

    Those with signs, and absolute ones: the larger mean over the materials counts, as a map may keep its
    pattern with the opposite sign.

    Parameters
    ----------
    ours, theirs
        An array per material, shape ``(units, objectives)``.

    Returns
    -------
    numpy.ndarray
        Shape ``(materials, objectives)``.  NaN where ours are all equal, or there are too few units; 0 where
        only theirs are equal: they repeat nothing.
    """
    signed = _correlations(ours, theirs)
    absolute = _correlations(list(map(np.abs, ours)), list(map(np.abs, theirs)))
    return np.where(_means(absolute) > _means(signed), absolute, signed)


def relative_magnitude(ours: Sequence[Array], theirs: Sequence[Array]) -> Array:
    """Return the mean absolute contribution of theirs over that of ours, shape ``(objectives,)``."""
    own, other = (np.abs(np.concatenate(list(each))).mean(axis=0) for each in (ours, theirs))
    return np.divide(other, own, where=own > 0, out=np.full_like(own, np.nan))


def _correlations(ours: Sequence[Array], theirs: Sequence[Array]) -> Array:
    return np.stack([_spearman(own, other) for own, other in zip(ours, theirs, strict=True)])


def _spearman(own: Array, other: Array) -> Array:
    """Return the correlation of each objective."""
    if len(own) < FEWEST_UNITS:
        return np.full(own.shape[1], np.nan)
    a, b = (rankdata(each, axis=0) - (len(each) + 1) / 2 for each in (own, other))
    size = np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))
    found = np.divide((a * b).sum(axis=0), size, where=size > 0, out=np.zeros(own.shape[1]))
    return np.where((a**2).sum(axis=0) > 0, found, np.nan)


def _means(values: Array) -> Array:
    known = np.isfinite(values)
    return np.where(known, values, 0).sum(axis=0) / np.maximum(1, known.sum(axis=0))
