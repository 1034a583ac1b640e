"""The grid of a source on a split: rows are methods and combinations, columns are objectives."""

from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from polyfacet.evaluation.score_names import ALL, LOWER_IS_BETTER
from polyfacet.evaluation.tables import CELL, order_of_combination
from polyfacet.reporting.naming import (
    CONTROL,
    DAGGER,
    pretrained_mark,
    shared_repeats_text,
    untrained_controls,
    with_repeats,
)
from polyfacet.reporting.numbers import mean_text, score_form
from polyfacet.runtime.markdown import plain, table

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
        Rows of `polyfacet.evaluation.means.compare` of all classes together.
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
    def repeats(self) -> dict[str, int]:
        """Methods and their numbers of repeats."""
        return dict(zip(self.cells["method"], self.cells["n_repeats"], strict=True))

    @property
    def is_uneven(self) -> bool:
        """Whether some methods have more repeats than others, so that their means are on other test rows."""
        return bool((self.comparison["n"] > self.comparison["shared_n"]).any())

    @property
    def over_shared(self) -> str:
        """The repeats over which rows are compared; empty if those are all repeats."""
        return self._over_shared(self.comparison)

    def over_shared_of(self, objective: str) -> str:
        """Return the same for one objective."""
        return self._over_shared(self.comparison[self.comparison["objective"] == objective])

    def _over_shared(self, rows: pd.DataFrame) -> str:
        return f"over {shared_repeats_text(rows['shared_n'])}" if self.is_uneven else ""

    @cached_property
    def rows(self) -> dict[tuple[str, str], str]:
        """Names of rows by method and combination; those without facets last.

        Fewer repeats and controls are marked.
        """
        facts = self.cells.drop_duplicates(["method", "combination"])
        trained = facts.loc[~facts["is_baseline"], "method"].unique()
        keys = sorted(
            zip(facts["is_baseline"], facts["method"], facts["combination"], strict=True),
            key=lambda key: (key[0], list(facts["method"]).index(key[1]), order_of_combination(key[2])),
        )
        n_of_split = self.cells["repeat"].nunique()
        return {
            (method, combination): with_repeats(
                (method if is_baseline else combination if len(trained) == 1 else f"{method}: {combination}")
                + (f" ({CONTROL})" if (method, combination) in self.controls else ""),
                self.repeats[method],
                n_of_split,
            )
            for is_baseline, method, combination in keys
        }

    @cached_property
    def controls(self) -> set[tuple[str, str]]:
        """Methods and combinations that see a facet through an untrained encoder."""
        return untrained_controls(self.cells)

    @cached_property
    def candidates(self) -> list[str]:
        """Rows that are no controls."""
        return [row for key, row in self.rows.items() if key not in self.controls]

    def with_role(self, *roles: str) -> list[str]:
        """Return the candidates with any of these roles (see `polyfacet.evaluation.roles`)."""
        has_role = self.cells[[f"role_{role}" for role in roles]].any(axis=1)
        own = self.cells.loc[has_role, ["method", "combination"]].itertuples(index=False, name=None)
        named = {self.rows[key] for key in own}
        return [row for row in self.candidates if row in named]

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
        """Return the best candidate for each objective on shared repeats.

        Objectives without values are left out.
        """
        values = self.values(metric, "shared_mean").loc[self.candidates].dropna(axis="columns", how="all")
        best = values.idxmin() if metric in LOWER_IS_BETTER else values.idxmax()
        return {str(name): str(row) for name, row in best.items()}

    def markdown(self, metric: str, *, over_shared: bool = False) -> str:
        """Format a metric as a table: best values bold, daggers where facets know the objective.

        Parameters
        ----------
        metric
            Name of the score.
        over_shared
            Whether means are over the repeats that all methods have, instead of all of a method.  If these
            differ, only the former have a best value.
        """
        of = "shared_" if over_shared else ""
        values, spreads = (self.values(metric, f"{of}{value}") for value in ("mean", "std"))
        best = self.best(metric) if over_shared or not self.is_uneven else {}
        form = score_form(metric)
        heads = [
            plain(label) + (f" ({plain(self.units[name])})" if metric == "mae" and self.units[name] else "")
            for name, label in self.objectives.items()
        ]
        combinations = {row: combination for (_, combination), row in self.rows.items()}
        lines = []
        for row in values.index:
            texts = []
            for name in values.columns:
                text = mean_text(values.loc[row, name], spreads.loc[row, name], form)
                text = f"**{text}**" if best.get(name) == row else text
                if pd.notna(values.loc[row, name]):
                    text += DAGGER * ((row, name) in self.flagged) + pretrained_mark(combinations[row], name)
                texts.append(text)
            lines.append([row, *texts])
        return table(["method and facets" if len(self.rows) > 1 else "facets", *heads], lines)


def grids(cells: pd.DataFrame, comparison: pd.DataFrame) -> list[Grid]:
    """List the grids of a run, in the order of its cells.

    Parameters
    ----------
    cells
        Table of ``CELLS``.
    comparison
        See `polyfacet.evaluation.means.compare`.
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
