"""The table of measures of representations."""

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from polyfacet.evaluation.representations.geometry import (
    Array,
    alignment,
    alignment_of_random_pairs,
    effective_rank,
    modality_gap,
    uniformity,
)
from polyfacet.runtime.parquet import column
from polyfacet.training.cells import IDENTITY

ALIGNMENT, RANDOM_PAIRS, GAP = "alignment", "alignment of random pairs", "modality gap"
UNIFORMITY, RANK = "uniformity", "effective rank"
OF_PAIRS = {ALIGNMENT: alignment, RANDOM_PAIRS: alignment_of_random_pairs, GAP: modality_gap}
OF_FACETS = {UNIFORMITY: uniformity, RANK: effective_rank}

GEOMETRY = pa.schema(
    [
        *(field for field in IDENTITY if field.name in ("source", "split", "repeat", "method")),
        column("facet", pa.string(), "facet"),
        column("other", pa.string(), "other facet, of measures of pairs", nullable=True),
        column("metric", pa.string(), ", ".join((*OF_PAIRS, *OF_FACETS))),
        column("value", pa.float64(), "the value"),
        column("n_materials", pa.int64(), "test materials that have the facets"),
    ]
)


def geometry_of(represented: Mapping[str, Mapping[str, Array]]) -> pd.DataFrame:
    """Measure the representations of test materials.

    Parameters
    ----------
    represented
        Method to the representations by each facet, shape ``(materials, numbers)``; NaN for materials without
        it.

    Returns
    -------
    pandas.DataFrame
        Columns of ``GEOMETRY`` from ``method`` on; facets that fewer than two materials have are left out.
    """
    rows = [
        {"method": method, **row} for method, known in represented.items() for row in _rows_of_method(known)
    ]
    return pd.DataFrame(rows, columns=GEOMETRY.names[GEOMETRY.names.index("method") :])


def _rows_of_method(known: Mapping[str, Array]) -> Iterator[dict[str, Any]]:
    for facet, values in known.items():
        (own,) = _common(values)
        for metric, measure in OF_FACETS.items() if len(own) > 1 else ():
            yield _row(facet, None, metric, measure(own), len(own))
    for facet, other in combinations(known, 2):
        pair = _common(known[facet], known[other])
        for metric, of_pair in OF_PAIRS.items() if len(pair[0]) > 1 else ():
            yield _row(facet, other, metric, of_pair(*pair), len(pair[0]))


def _row(facet: str, other: str | None, metric: str, value: float, n_materials: int) -> dict[str, Any]:
    return {"facet": facet, "other": other, "metric": metric, "value": value, "n_materials": n_materials}


def _common(*known: Array) -> list[Array]:
    """Return the rows that all of them have."""
    has_all = np.all([np.isfinite(each).all(axis=1) for each in known], axis=0)
    return [each[has_all] for each in known]
