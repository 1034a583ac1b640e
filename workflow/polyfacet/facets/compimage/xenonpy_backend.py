"""The seven statistics as computed by the package XenonPy, one composition at a time."""

import os
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import ModuleType

import numpy as np
import pandas as pd

from polyfacet.facets.compimage.statistics import STATISTICS, Array

FEATURIZERS = {
    "ave": "WeightedAverage",
    "var": "WeightedVariance",
    "gmean": "GeometricMean",
    "hmean": "HarmonicMean",
    "max": "MaxPooling",
    "min": "MinPooling",
    "sum": "WeightedSum",
}


def xenonpy_statistics(compositions: Sequence[Mapping[str, float]], elements: pd.DataFrame) -> Array:
    """Compute the statistics of many compositions with XenonPy's featurizers.

    Parameters
    ----------
    compositions
        Positive amount of each symbol.
    elements
        Properties, shape (elements, properties), symbols as index; XenonPy's own table is not used.

    Returns
    -------
    ndarray
        Shape (compositions, 7, properties), statistics in the order of ``STATISTICS``.

    Raises
    ------
    KeyError
        If an element is not in the table.
    """
    if not compositions:
        return np.empty((0, len(STATISTICS), elements.shape[1]))
    featurizers = _featurizers()
    with np.errstate(
        all="ignore"
    ):  # inf and NaN are results here, see `polyfacet.facets.compimage.statistics`
        columns = [
            getattr(featurizers, FEATURIZERS[statistic])(elemental_info=elements, n_jobs=1).transform(
                list(compositions), return_type="array"
            )
            for statistic in STATISTICS
        ]
    return np.stack(columns, axis=1)


def _featurizers() -> ModuleType:
    with _temporary_home(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its source triggers deprecation warnings of newer Pythons
        from xenonpy.descriptor import compositions  # noqa: PLC0415 - takes seconds, and only this needs it
    return compositions


@contextmanager
def _temporary_home() -> Iterator[None]:
    """Set a temporary HOME: importing XenonPy creates folders there, which parallel jobs would both do."""
    home = os.environ.get("HOME")
    with tempfile.TemporaryDirectory() as elsewhere:
        os.environ["HOME"] = elsewhere
        try:
            yield
        finally:
            if home is None:
                del os.environ["HOME"]
            else:
                os.environ["HOME"] = home
