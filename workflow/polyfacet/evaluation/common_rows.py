"""The test rows on which cells are compared: those that none of the rivals lacks."""

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

# Cells that differ only in method and combination are rivals.
RIVALS = ["source", "split", "repeat", "objective"]


def rivals(cells: Sequence[Mapping[str, Any]]) -> list[list[int]]:
    """Return the positions of the cells that are rivals of each other, one list per objective and repeat."""
    found: dict[tuple[Any, ...], list[int]] = {}
    for position, cell in enumerate(cells):
        found.setdefault(tuple(cell[name] for name in RIVALS), []).append(position)
    return list(found.values())


def common_rows(rows: Iterable[pd.DataFrame]) -> list[pd.DataFrame]:
    """Select the rows that all tables have.

    Parameters
    ----------
    rows
        Predictions of one part by several cells, one table each, with identifiers of materials as the index.

    Returns
    -------
    list of pandas.DataFrame
        The same tables with the same materials in the same order.
    """
    tables = list(rows)
    if not tables:
        return []
    shared = reduce(lambda first, second: first.intersection(second), [table.index for table in tables])
    shared = shared.sort_values()
    return [table.loc[shared] for table in tables]


def n_nontrivial(values: ArrayLike) -> int:
    """Count the values that differ from the most frequent one; all of them if none occurs twice."""
    counts = np.unique(np.asarray(values), return_counts=True)[1]
    return int(counts.sum() - (counts.max() if counts.size and counts.max() > 1 else 0))
