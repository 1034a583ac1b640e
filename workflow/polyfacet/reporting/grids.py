"""The grid of a source on a split: rows are methods and combinations, columns are objectives."""

from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from polyfacet.evaluation.metrics import ALL
from polyfacet.evaluation.scores import LOWER_IS_BETTER
from polyfacet.evaluation.tables import CELL, order_of_combination
from polyfacet.reporting.numbers import mean_text
from polyfacet.runtime.markdown import plain, table
from polyfacet.training.cells import NO_FACET

METRIC_LABELS = {
    "mae": "MAE",
    "mase": "MASE",
    "rmse": "RMSE",
    "r2": "R2",
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "macro_f1": "macro F1",
    "accuracy": "accuracy",
}
# Scores shown in a grid of numbers or of classes, the decisive one first.
SHOWN = {"numbers": ("mase", "mae"), "classes": ("macro_f1", "accuracy")}


@dataclass(frozen=True, eq=False)
class Grid:
    """Objectives of one kind, of one source on one split.

    Attributes
    ----------
    source, split
        Names of the source and the split.
    kind
        ``numbers`` or ``classes``.
    cells
        Rows of ``CELLS``, of all repeats.
    comparison
        Rows of `polyfacet.evaluation.scores.compare` of all classes together.
    """

    source: str
    split: str
    kind: str
    cells: pd.DataFrame
    comparison: pd.DataFrame

    @cached_property
    def objectives(self) -> dict[str, str]:
        """Objectives and their labels, in the order of the configuration."""
        named = self.cells.drop_duplicates("objective")
        return dict(zip(named["objective"], named["label"], strict=True))

    @cached_property
    def units(self) -> dict[str, str]:
        """Objectives and their units."""
        return dict(zip(self.cells["objective"], self.cells["unit"], strict=True))

    @cached_property
    def rows(self) -> dict[tuple[str, str], str]:
        """Names of rows by method and combination; baselines last."""
        facts = self.cells.drop_duplicates(["method", "combination"])
        trained = facts.loc[~facts["is_baseline"], "method"].unique()
        keys = sorted(
            zip(facts["is_baseline"], facts["method"], facts["combination"], strict=True),
            key=lambda key: (key[0], list(facts["method"]).index(key[1]), order_of_combination(key[2])),
        )
        return {
            (method, combination): method
            if is_baseline
            else combination
            if len(trained) == 1
            else f"{method}: {combination}"
            for is_baseline, method, combination in keys
        }

    @cached_property
    def baselines(self) -> list[str]:
        """Rows of methods that use no facets."""
        return [row for (_, combination), row in self.rows.items() if combination == NO_FACET]

    @cached_property
    def flagged(self) -> set[tuple[str, str]]:
        """Pairs of row and objective whose facets reveal the objective."""
        shown = self.cells[self.cells["contains_answer"]]
        return {
            (self.rows[method, combination], objective)
            for method, combination, objective in zip(
                shown["method"], shown["combination"], shown["objective"], strict=True
            )
        }

    def values(self, metric: str, value: str = "mean") -> pd.DataFrame:
        """Pivot a metric to rows by objectives; NaN where a repeat failed or the metric is undefined."""
        own = self.comparison[self.comparison["metric"] == metric]
        named = own.assign(
            row=[self.rows[key] for key in zip(own["method"], own["combination"], strict=True)]
        )
        arranged = named.pivot_table(index="row", columns="objective", values=value, dropna=False)
        return arranged.reindex(index=list(self.rows.values()), columns=list(self.objectives))

    def best(self, metric: str) -> dict[str, str]:
        """Return the best row of each objective; objectives without any value are left out."""
        values = self.values(metric).dropna(axis="columns", how="all")
        best = values.idxmin() if metric in LOWER_IS_BETTER else values.idxmax()
        return {str(name): str(row) for name, row in best.items()}

    def markdown(self, metric: str) -> str:
        """Format a metric as a table: best values bold, a dagger where facets reveal the objective."""
        values, spreads, best = self.values(metric), self.values(metric, "std"), self.best(metric)
        form = ".4g" if metric == "mae" else ".3f"
        heads = [
            plain(label) + (f" ({plain(self.units[name])})" if metric == "mae" and self.units[name] else "")
            for name, label in self.objectives.items()
        ]
        lines = []
        for row in values.index:
            texts = []
            for name in values.columns:
                text = mean_text(values.loc[row, name], spreads.loc[row, name], form)
                text = f"**{text}**" if best.get(name) == row else text
                texts.append(f"{text} †" if (row, name) in self.flagged else text)
            lines.append([row, *texts])
        return table(["method and facets" if len(self.rows) > 1 else "facets", *heads], lines)


def grids(cells: pd.DataFrame, comparison: pd.DataFrame) -> list[Grid]:
    """List the grids of a run, in the order of its cells.

    Parameters
    ----------
    cells
        Table of ``CELLS``.
    comparison
        See `polyfacet.evaluation.scores.compare`.
    """
    found = []
    overall = comparison[(comparison["class"] == ALL) & (comparison["objective"] != ALL)]
    for (source, split), own in cells.groupby(["source", "split"], sort=False):
        has_classes = own["classes"].map(len) > 0
        for kind, chosen in (("numbers", own[~has_classes]), ("classes", own[has_classes])):
            if not chosen.empty:
                keys = chosen[CELL].drop_duplicates()
                found.append(Grid(str(source), str(split), kind, chosen, overall.merge(keys, on=CELL)))
    return found
