"""The seven statistics of each element property over a composition.

With amounts w as given (zeros are skipped) and w* = w / sum(w), for a property f:

    ave = sum w* f             gmean = prod(f^w)^(1 / sum w)     max, min
    var = sum w* (f - ave)^2   hmean = sum w / sum(w / f)        sum = sum w f

as in XenonPy 0.6.7 (the seven weighted statistics of its composition featurizers) and Yu, Wu and Qian,
"Material Composition Visualization Network", Table 1.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from polyfacet.config.composition import StatisticsMode

Array = NDArray[np.float64]

STATISTICS = ("ave", "var", "gmean", "hmean", "max", "min", "sum")
# Compositions per chunk: a few MB of working memory for compositions of a dozen elements.
CHUNK = 512


def composition_statistics(
    compositions: Sequence[Mapping[str, float]], elements: pd.DataFrame, mode: StatisticsMode
) -> Array:
    """Compute the statistics of many compositions.

    Parameters
    ----------
    compositions
        Positive amount of each symbol.
    elements
        Properties, shape (elements, properties), symbols as index.
    mode
        ``xenonpy`` computes as XenonPy does, including its awkward values: gmean of negative values is NaN
        for fractional amounts (and has an arbitrary sign for integer amounts), gmean overflows to inf when
        amounts sum to about 100, and a missing property makes the statistic NaN.  ``stable`` computes gmean
        from logarithms with normalised amounts, returns NaN for gmean of negative values and hmean of values
        of mixed sign, ignores elements whose property is missing, and is exact where all elements share a
        value.

    Returns
    -------
    ndarray
        Shape (compositions, 7, properties), statistics in the order of ``STATISTICS``; the values of a
        composition do not depend on the other compositions.

    Raises
    ------
    KeyError
        If an element is not in the table.
    """
    compute = _MODES[mode]
    properties = elements.to_numpy(dtype=float)
    result = np.empty((len(compositions), len(STATISTICS), properties.shape[1]))
    for start, indices, amounts in _padded(compositions, elements.index):
        with np.errstate(all="ignore"):  # inf and NaN are results here, described above
            result[start : start + len(indices)] = compute(properties[indices], amounts[:, :, None])
    return result


def _padded(
    compositions: Sequence[Mapping[str, float]], symbols: pd.Index
) -> Iterator[tuple[int, NDArray[np.intp], Array]]:
    """Yield each chunk's start, element indices and amounts, both (compositions, most elements)."""
    row_of = {symbol: row for row, symbol in enumerate(symbols)}
    for start in range(0, len(compositions), CHUNK):
        chunk = compositions[start : start + CHUNK]
        width = max(len(composition) for composition in chunk)
        indices = np.zeros((len(chunk), width), dtype=np.intp)
        amounts = np.zeros((len(chunk), width))
        for row, composition in enumerate(chunk):
            indices[row, : len(composition)] = [row_of[symbol] for symbol in composition]
            amounts[row, : len(composition)] = list(composition.values())
        yield start, indices, amounts


def _xenonpy(f: Array, w: Array) -> Array:
    """Compute as XenonPy does; f is (compositions, elements, properties), w (compositions, elements, 1)."""
    present = w > 0
    total = w.sum(axis=1)
    share = w / total[:, None]
    ave = _sum_where(present, share * f)
    var = _sum_where(present, share * (f - ave[:, None]) ** 2)
    gmean = np.prod(f**w, axis=1) ** (1 / total)
    hmean = total / _sum_where(present, w / f)
    high, low = _extremes(present, f)
    return np.stack([ave, var, gmean, hmean, high, low, _sum_where(present, w * f)], axis=1)


def _stable(f: Array, w: Array) -> Array:
    """Compute with logarithms and normalised amounts, over the elements whose property is known."""
    known = (w > 0) & ~np.isnan(f)
    share = np.where(known, w, 0.0)
    share = share / share.sum(axis=1, keepdims=True)
    high, low = _extremes(known, f)
    # Rounding would turn a value shared by all elements into noise, which grey levels would stretch to full
    # contrast.
    shared = high == low
    ave = np.where(shared, high, _sum_where(known, share * f))
    var = _sum_where(known, share * (f - ave[:, None]) ** 2)
    gmean = np.exp(_sum_where(known, share * np.log(f)))
    gmean = np.where(shared & (high >= 0), high, gmean)
    hmean = np.where(shared, high, 1 / _sum_where(known, share / f))
    hmean = np.where((low < 0) & (high > 0), np.nan, hmean)
    # Where the property of no element is known, all statistics are undefined (empty sums are 0, not NaN).
    undefined = np.isnan(high)
    gmean, var = np.where(undefined, np.nan, gmean), np.where(undefined, np.nan, var)
    hmean, ave = np.where(undefined, np.nan, hmean), np.where(undefined, np.nan, ave)
    return np.stack([ave, var, gmean, hmean, high, low, ave * w.sum(axis=1)], axis=1)


def _sum_where(mask: NDArray[np.bool_], terms: Array) -> Array:
    """Sum terms over the elements of the mask, without BLAS so that results are the same on every machine."""
    return np.where(mask, terms, 0.0).sum(axis=1)


def _extremes(mask: NDArray[np.bool_], f: Array) -> tuple[Array, Array]:
    values = np.where(mask, f, np.nan)
    return np.fmax.reduce(values, axis=1), np.fmin.reduce(values, axis=1)


_MODES: Mapping[StatisticsMode, Callable[[Array, Array], Array]] = {"xenonpy": _xenonpy, "stable": _stable}
