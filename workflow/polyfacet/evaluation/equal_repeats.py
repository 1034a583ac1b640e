"""Objectives whose repeats are tested on the same materials, so that their spread allows no inference."""

import pandas as pd

SAME_TEST_PART = (
    "repeats are tested on the same materials, so that their spread says nothing about other materials"
)
_OBJECTIVE = ["source", "split", "objective"]


def n_test_parts(cells: pd.DataFrame) -> pd.DataFrame:
    """Count the repeats of each objective and their different test parts.

    Parameters
    ----------
    cells
        Table of ``CELLS``.

    Returns
    -------
    pandas.DataFrame
        ``source``, ``split``, ``objective``, ``n_repeats`` and ``n_test_parts``, in the order of first
        occurrence; without objectives of which all cells failed.
    """
    ok = cells[cells["status"] == "ok"]
    # Rivals are compared on the rows that all of them predicted: these are the same in two repeats if those
    # of a single rival are, because the same materials lack the facets of the others.
    tested = ok.groupby([*_OBJECTIVE, "method", "combination"], sort=False)["tested"].agg(["size", "nunique"])
    n_equal = (tested["size"] - tested["nunique"]).groupby(level=_OBJECTIVE, sort=False).max()
    n_repeats = ok.groupby(_OBJECTIVE, sort=False)["repeat"].nunique()
    return pd.DataFrame({"n_repeats": n_repeats, "n_test_parts": n_repeats - n_equal}).reset_index()


def objectives_with_equal_repeats(cells: pd.DataFrame) -> set[tuple[str, str, str]]:
    """Return source, split and name of the objectives with two or more repeats on the same test part.

    Parameters
    ----------
    cells
        Table of ``CELLS``.
    """
    counts = n_test_parts(cells)
    equal = counts[counts["n_test_parts"] < counts["n_repeats"]]
    return set(equal[_OBJECTIVE].itertuples(index=False, name=None))
