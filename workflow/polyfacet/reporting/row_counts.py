"""Numbers of test rows beside scores."""

from collections.abc import Mapping

import pandas as pd

from polyfacet.evaluation.score_names import ALL
from polyfacet.evaluation.shared_repeats import is_shared
from polyfacet.evaluation.tables import COUNTS
from polyfacet.reporting.numbers import number_range
from polyfacet.runtime.markdown import plain


def scored_rows(scores: pd.DataFrame, source: str, split: str) -> pd.DataFrame:
    """Return the numbers of test rows of each cell that was scored.

    Parameters
    ----------
    scores
        Table of ``SCORES``.
    source, split
        Place of the scores.

    Returns
    -------
    pandas.DataFrame
        ``objective``, ``method``, ``combination``, ``repeat``, ``n_test``, ``n_nontrivial``, and whether
        ``is_shared``: all methods of the objective have this repeat.
    """
    is_here = (scores["source"] == source) & (scores["split"] == split)
    own = scores[is_here & (scores["class"] == ALL)]
    own = own.assign(is_shared=is_shared(own))
    own = own[["objective", "method", "combination", "repeat", *COUNTS, "is_shared"]]
    return own[own["n_test"] > 0].drop_duplicates()


def row_counts(scores: pd.DataFrame, source: str, split: str, labels: Mapping[str, str]) -> str:
    """State the numbers of test rows per repeat, and of those that are non-trivial.

    Parameters
    ----------
    scores
        Table of ``SCORES``.
    source, split
        Place of the scores.
    labels
        Objective to its name; those without scores are left out.
    """
    own = scored_rows(scores, source, split)
    found = []
    for objective, label in labels.items():
        rows = own[own["objective"] == objective]
        if len(rows):
            n, nontrivial = (number_range(rows[name]) for name in COUNTS)
            found.append(f"{plain(label)} {n} ({nontrivial})")
    return f"Test rows per repeat (non-trivial ones), split `{split}`: {', '.join(found)}." if found else ""
