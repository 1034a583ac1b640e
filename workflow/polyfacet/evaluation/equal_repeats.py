"""Splits whose repeats are tested on the same materials, so that their spread allows no inference."""

import pandas as pd

from polyfacet.evaluation.tables import CELL

SAME_TEST_PART = (
    "repeats are tested on the same materials, so that their spread says nothing about other materials"
)


def n_test_parts(cells: pd.DataFrame) -> pd.DataFrame:
    """Count the repeats of each split and their different test parts.

    Parameters
    ----------
    cells
        Table of ``CELLS``.

    Returns
    -------
    pandas.DataFrame
        ``source``, ``split``, ``n_repeats`` and ``n_test_parts``, in the order of first occurrence.
    """
    rows = []
    for (source, split), own in cells.groupby(["source", "split"], sort=False):
        # Methods may have fewer repeats than the split.
        parts = own.pivot(index="repeat", columns=CELL, values="tested").dropna(axis="columns")
        rows.append((source, split, len(parts), len(parts.drop_duplicates())))
    return pd.DataFrame(rows, columns=["source", "split", "n_repeats", "n_test_parts"])


def splits_with_equal_repeats(cells: pd.DataFrame) -> set[tuple[str, str]]:
    """Return the sources and splits in which two or more repeats have the same test part.

    Parameters
    ----------
    cells
        Table of ``CELLS``.
    """
    counts = n_test_parts(cells)
    equal = counts[counts["n_test_parts"] < counts["n_repeats"]]
    return set(zip(equal["source"], equal["split"], strict=True))
