"""Group the rows of a table that have the same composition, however it is written or rounded."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import DBSCAN

from polyfacet.materials.formula import parse_formula

# Shares that differ by no more than this are equal: 33.3 % and 1/3, 0.333 and 0.3333.  The margin is for
# floats.
SHARES_WITHIN = 5e-4 + 1e-12


def composition_groups(formulas: Mapping[str, str]) -> dict[str, str]:
    """Group rows whose compositions are equal within rounding, directly or through others.

    Parameters
    ----------
    formulas
        mat_id to formula (see `polyfacet.materials.formula.parse_formula`), amounts of atoms or weights.

    Returns
    -------
    dict
        mat_id to the group's name, the first of its formulas in alphabetical order.
    """
    distinct = sorted(set(formulas.values()))
    shares = _shares([parse_formula(formula) for formula in distinct])
    # As one sample suffices for a cluster, everything linked through neighbours is one cluster.
    linked = DBSCAN(eps=SHARES_WITHIN, min_samples=1, metric="chebyshev").fit_predict(shares).tolist()
    cluster = dict(zip(distinct, linked, strict=True))
    first: dict[int, str] = {}
    for formula in distinct:
        first.setdefault(cluster[formula], formula)
    return {mat_id: first[cluster[formula]] for mat_id, formula in formulas.items()}


def _shares(compositions: list[dict[str, float]]) -> NDArray[np.float64]:
    """Return the share of each element in each composition, shape ``(compositions, elements)``."""
    elements = sorted({symbol for amounts in compositions for symbol in amounts})
    table = np.array([[amounts.get(symbol, 0.0) for symbol in elements] for amounts in compositions])
    return table / table.sum(axis=1, keepdims=True)
