"""Numbers of test rows beside the scores of tables in Markdown."""

from collections.abc import Mapping

import pandas as pd

from polyfacet.evaluation.metrics import ALL
from polyfacet.reporting.numbers import number_range
from polyfacet.runtime.markdown import plain


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
    own = scores[(scores["source"] == source) & (scores["split"] == split) & (scores["class"] == ALL)]
    own = own[own["n_test"] > 0]
    found = []
    for objective, label in labels.items():
        rows = own[own["objective"] == objective]
        if len(rows):
            n, nontrivial = (number_range(rows[name]) for name in ("n_test", "n_nontrivial"))
            found.append(f"{plain(label)} {n} ({nontrivial})")
    return f"Test rows per repeat (non-trivial ones), split `{split}`: {', '.join(found)}." if found else ""
