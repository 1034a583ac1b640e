"""Scores of all cells of a comparison, one a row, and their mean and spread over the repeats of the split."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from polyfacet.runtime.parquet import column
from polyfacet.training.cards import Card, ClassMetrics, Metrics, read_card

# What stands for all targets of a table, or all classes of a target.
ALL = "all"
LOWER_IS_BETTER = ("mae", "mase", "rmse")

SCORES = pa.schema(
    [
        column("table", pa.string(), "name of the table"),
        column("split", pa.string(), "how it was split: random, or formula (a composition is in one part)"),
        column("repeat", pa.int64(), "which repeat of the split"),
        column("method", pa.string(), "name of the method"),
        column("target", pa.string(), "what is predicted; all is the mean over the targets"),
        column(
            "class", pa.string(), "class that the score is of; all for numbers and for scores of all classes"
        ),
        column("metric", pa.string(), "name of the score"),
        column(
            "value", pa.float64(), "score on the test part", "that of the target for MAE, RMSE", nullable=True
        ),
        column("reason", pa.string(), "why the cell failed", nullable=True),
    ]
)
_CELL = ["table", "split", "method", "target", "class", "metric"]


def collect_scores(cells: Path) -> Iterator[dict[str, Any]]:
    """Give the scores of a job's cells.

    Parameters
    ----------
    cells
        ``<table>/<split>-<repeat>/cells/<engine>``, a folder of ``<method>/<target>/card.json``.

    Yields
    ------
    dict
        Rows of ``SCORES``; of a failed cell one, with the reason instead of a value.
    """
    split, repeat = cells.parents[1].name.rsplit("-", 1)
    where = {"table": cells.parents[2].name, "split": split, "repeat": int(repeat)}
    for path in sorted(cells.glob("*/*/card.json")):
        card = read_card(path)
        cell = {**where, "method": path.parents[1].name, "target": card.target, "reason": card.reason}
        for name, metric, value in _values(card):
            yield {**cell, "class": name, "metric": metric, "value": value}


def _values(card: Card) -> Iterator[tuple[str, str, float | None]]:
    """Yield class, metric and value of each score of a card."""
    match card.metrics:
        case Metrics():
            for metric, value in card.metrics.model_dump().items():
                yield ALL, metric, value
        case ClassMetrics():
            yield ALL, "accuracy", card.metrics.accuracy
            yield ALL, "macro_f1", card.metrics.macro_f1
            for name, scores in card.metrics.per_class.items():
                for metric, value in scores.model_dump(exclude={"support"}).items():
                    yield name, metric, value
        case None:
            yield ALL, "macro_f1" if card.classes else "r2", None


def with_means_over_targets(scores: pd.DataFrame) -> pd.DataFrame:
    """Append the mean R2 over the targets of a table, where it has several; missing where a cell failed."""
    r2 = scores[scores["metric"] == "r2"]
    several = r2[r2.groupby("table")["target"].transform("nunique") > 1]
    if several.empty:
        return scores
    repeats = several.groupby(["table", "split", "repeat", "method"], as_index=False)
    means = repeats["value"].agg(lambda values: values.mean(skipna=False))
    rows = means.assign(target=ALL, metric="r2", reason=None, **{"class": ALL})
    return pd.concat([scores, rows[list(scores.columns)]], ignore_index=True)


def compare(scores: pd.DataFrame, reference: str | None) -> pd.DataFrame:
    """Compute mean and spread over the repeats, and how often each method beats the reference.

    Parameters
    ----------
    scores
        Table of ``SCORES``.
    reference
        Method that the others are held against, split by split; None for none.

    Returns
    -------
    pandas.DataFrame
        A row a table, split, method, target, class and metric: ``mean``, ``std`` (sample standard deviation;
        NaN for one repeat), ``n`` (repeats), ``wins`` (repeats that are better than the reference's; missing
        where it has none), in the order of first mention.  Mean and spread are missing where a repeat failed.
    """
    groups = scores.groupby(_CELL, sort=False)["value"]
    table = groups.agg(
        mean=lambda values: values.mean(skipna=False),
        std=lambda values: values.std(skipna=False),
        n="size",
    )
    if reference is not None:
        at = [name for name in _CELL if name != "method"] + ["repeat"]
        against = scores[scores["method"] == reference].set_index(at)["value"]
        difference = scores["value"] - against.reindex(pd.MultiIndex.from_frame(scores[at])).to_numpy()
        sign = scores["metric"].isin(LOWER_IS_BETTER).map({True: -1, False: 1})
        better = (sign * difference > 0).astype(float).where(difference.notna())
        table["wins"] = better.groupby([scores[name] for name in _CELL], sort=False).sum(min_count=1)
    return table.reset_index()
