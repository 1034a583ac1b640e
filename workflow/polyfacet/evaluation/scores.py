"""Scores of all cells, and their mean and spread over the repeats of a split."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from polyfacet.evaluation.common_rows import n_nontrivial
from polyfacet.evaluation.metrics import ALL, scores_of, scores_of_classes, scores_of_numbers
from polyfacet.evaluation.tables import CELL, KEYS
from polyfacet.splits.parts import TEST

# Reason of a missing score of a cell that has predictions.
UNDEFINED = "not defined: all test values are equal, or there is none of this class"
NO_COMMON_ROWS = "no material of the test part was predicted by all cells of this objective"
LOWER_IS_BETTER = ("mae", "mase", "rmse")
_SCORE = [*CELL, "class", "metric"]


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


def with_means_over_objectives(scores: pd.DataFrame) -> pd.DataFrame:
    """Append the mean MASE and R2 over the objectives of a source, where it has several.

    The mean is missing if a cell failed.
    """
    shared = scores[scores["metric"].isin(("mase", "r2"))]
    several = shared[shared.groupby("source")["objective"].transform("nunique") > 1]
    if several.empty:
        return scores
    keys = [name for name in [*KEYS, "class", "metric"] if name != "objective"]
    means = several.groupby(keys, as_index=False, sort=False).agg(
        value=("value", lambda values: values.mean(skipna=False)),
        n_test=("n_test", "sum"),
        n_nontrivial=("n_nontrivial", "sum"),
    )
    means = means.assign(objective=ALL).reindex(columns=scores.columns)
    return pd.concat([scores, means.astype(scores.dtypes)], ignore_index=True)


def compare(scores: pd.DataFrame, reference: str | None) -> pd.DataFrame:
    """Compute mean and spread over the repeats, and how often each method beats the reference.

    Parameters
    ----------
    scores
        Table of ``SCORES``.
    reference
        Method that the others are compared with, repeat by repeat, in its best combination; None for none.

    Returns
    -------
    pandas.DataFrame
        One row per source, split, method, combination, objective, class and metric: ``mean``, ``std`` (sample
        standard deviation; NaN for one repeat), ``n`` (repeats), ``wins`` (repeats with a better score than
        the reference, failed ones excluded; missing if a repeat of the reference has no value), in the
        order of first occurrence.  Mean and spread are missing if a repeat failed.
    """
    groups = scores.groupby(_SCORE, sort=False)["value"]
    table = groups.agg(
        mean=lambda values: values.mean(skipna=False),
        std=lambda values: values.std(skipna=False),
        n="size",
    )
    if reference is not None:
        at = ["source", "split", "repeat", "objective", "class", "metric"]
        sign = scores["metric"].isin(LOWER_IS_BETTER).map({True: -1, False: 1})
        own = scores.assign(signed=sign * scores["value"])[scores["method"] == reference]
        against = own.groupby(at)["signed"].max()
        theirs = pd.Series(against.reindex(pd.MultiIndex.from_frame(scores[at])).to_numpy(), scores.index)
        better = (sign * scores["value"] > theirs).astype(float).where(theirs.notna())
        of_cells = better.groupby([scores[name] for name in _SCORE], sort=False)
        table["wins"] = of_cells.agg(lambda values: values.sum(skipna=False))
    return table.reset_index()
