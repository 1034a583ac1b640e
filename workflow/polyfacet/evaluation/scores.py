"""Scores of all cells, and their means over objectives."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from polyfacet.evaluation.common_rows import n_nontrivial
from polyfacet.evaluation.metrics import scores_of_classes, scores_of_numbers
from polyfacet.evaluation.score_names import ALL, scores_of
from polyfacet.evaluation.tables import KEYS
from polyfacet.splits.parts import TEST

# Reason of a missing score of a cell that has predictions.
UNDEFINED = "not defined: all test values are equal, or there is none of this class"
NO_COMMON_ROWS = "no material of the test part was predicted by all cells of this objective"


def scores_of_cell(cell: Mapping[str, Any], predictions: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Yield the scores of one cell.

    Parameters
    ----------
    cell
        Row of ``CELLS``.
    predictions
        Its rows of ``PREDICTIONS``; only those of the test part count.

    Yields
    ------
    dict
        Rows of ``SCORES`` without intervals; those of a failed cell have the reason instead of a value, as a
        score without a row would be left out of means over repeats and objectives.
    """
    identity = {name: cell[name] for name in KEYS} | {"n_test": 0, "n_nontrivial": 0}
    test = predictions[predictions["part"] == TEST] if cell["status"] == "ok" else predictions[:0]
    if test.empty:
        reason = cell["reason"] or NO_COMMON_ROWS
        for name, metric in scores_of(cell["classes"]):
            yield {**identity, "class": name, "metric": metric, "value": None, "reason": reason}
        return
    true = test["true_class" if len(cell["classes"]) else "y_true"]
    identity |= {"n_test": len(test), "n_nontrivial": n_nontrivial(true)}
    if len(cell["classes"]):
        found = scores_of_classes(true, test["predicted_class"], list(cell["classes"]))
    else:
        found = {ALL: scores_of_numbers(true, test["y_pred"])}
    for name, values in found.items():
        for metric, value in values.items():
            reason = UNDEFINED if np.isnan(value) else None
            yield {**identity, "class": name, "metric": metric, "value": value, "reason": reason}


def has_every_objective(scores: pd.DataFrame) -> pd.Series:
    """Return whether each score is of a method and combination with all of several objectives of a split."""
    place = ["source", "split"]
    n_objectives = scores.groupby(place)["objective"].transform("nunique")
    own = scores.groupby([*place, "repeat", "method", "combination"])["objective"].transform("nunique")
    return (own == n_objectives) & (n_objectives > 1)


def with_means_over_objectives(scores: pd.DataFrame) -> pd.DataFrame:
    """Append the mean MASE and R2 over the objectives of a split, where it has several.

    The mean is missing if a cell failed or a score is not defined; cells that are not trained on all
    objectives have none.
    """
    shared = scores[scores["metric"].isin(("mase", "r2"))]
    several = shared[has_every_objective(shared)]
    if several.empty:
        return scores
    keys = [name for name in [*KEYS, "class", "metric"] if name != "objective"]
    means = several.groupby(keys, as_index=False, sort=False).agg(
        value=("value", lambda values: values.mean(skipna=False)),
        n_test=("n_test", "sum"),
        n_nontrivial=("n_nontrivial", "sum"),
        reason=("reason", _reason_of_mean),
    )
    means = means.assign(objective=ALL).reindex(columns=scores.columns)
    return pd.concat([scores, means.astype(scores.dtypes)], ignore_index=True)


def _reason_of_mean(reasons: pd.Series) -> str | None:
    """Return why a mean is missing; the failure of a cell comes first."""
    known = reasons.dropna()
    failed = known[known != UNDEFINED]
    return next(iter([*failed, *known]), None)
