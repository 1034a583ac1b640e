"""What the page of a study says of one source on one split."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from polyfacet.evaluation.contributions import CHOSEN
from polyfacet.evaluation.roles import ANY, BASELINE, MULTI, SINGLE
from polyfacet.evaluation.tables import KEYS, order_of_combination
from polyfacet.evaluation.verdicts import COMPARISONS
from polyfacet.reporting.contribution_notes import contribution_notes
from polyfacet.reporting.naming import (
    DAGGER,
    DOUBLE_DAGGER,
    facets_text,
    pretrained_mark,
    repeats_text,
    row_name,
    with_repeats,
)
from polyfacet.reporting.numbers import number_text
from polyfacet.runtime.markdown import plain, table
from polyfacet.training.cells import NO_FACET
from polyfacet.use.study.figures import draw_heatmap
from polyfacet.use.study.losses import loss_text, mean_over_objectives

# Method and combination of a cell.
Baseline = tuple[str, str]

NAMES = {
    ANY: CHOSEN,
    MULTI: "the same among several facets",
    SINGLE: "the same among single facets",
    BASELINE: "the same among baselines",
}


@dataclass(frozen=True, eq=False)
class Section:
    """A source on a split.

    Attributes
    ----------
    source, split
        Names of the source and the split.
    cells, scores
        Kept facts of the cells (`records.KEPT_FACTS`), and rows of ``SCORES``.
    tested, chosen, verdicts, shares
        Losses on test rows, chosen cells, verdicts and Shapley values: results of `polyfacet.evaluation`.
    baseline
        Cell that the chosen ones are compared with; None for none.
    """

    source: str
    split: str
    cells: pd.DataFrame
    scores: pd.DataFrame
    tested: pd.DataFrame
    chosen: pd.DataFrame
    verdicts: pd.DataFrame
    shares: pd.DataFrame
    baseline: Baseline | None

    @cached_property
    def labels(self) -> dict[str, str]:
        """Objectives and their labels, in the order of the configuration."""
        named = self.cells.drop_duplicates("objective")
        return dict(zip(named["objective"], map(plain, named["label"]), strict=True))

    def parts(self, folder: Path) -> Iterator[str]:
        """Yield the parts of the section in Markdown; the figure is drawn in a folder."""
        n = self.cells["repeat"].nunique()
        yield f"## {plain(self.source)}, split `{self.split}`, {repeats_text(n)}"
        yield self.counts()
        yield self.losses()
        yield self.errors()
        yield self.tested_comparisons()
        yield self.contributions()
        yield self.mean_losses()
        yield self.figure(folder)

    def counts(self) -> str:
        """Say how many materials cells were trained and tested on, and which repeats are compared."""
        own = self.cells[self.cells["status"] == "ok"].groupby("method", sort=False)
        if not len(own):
            return "All cells failed."
        trained = own["n_train"].median().astype(int)
        tested = int(self.cells["n_test"].median())
        span = " to ".join(map(str, sorted({trained.min(), trained.max()})))
        said = f"Trained on {span} materials (medians by method), tested on {tested} (median of all cells)."
        n, of = len(self._repeats_of_baseline), self.cells["repeat"].nunique()
        if n < of and self._baseline_name:
            said += f" Comparisons with {self._baseline_name} are over its own repeats, {n} of {of}."
        return said

    @cached_property
    def _repeats_of_baseline(self) -> set[int]:
        """Repeats in which the baseline was trained; all without a baseline."""
        own = self._of_baseline(self.cells)
        return set((self.cells if own.empty else own)["repeat"])

    def _of_baseline(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Select the rows of the baseline; none without a baseline."""
        method, combination = self.baseline or (None, None)
        return rows[(rows["method"] == method) & (rows["combination"] == combination)]

    def losses(self) -> str:
        """Compare the losses of the chosen cells with that of the baseline."""
        compared = self._compared(self.tested, self.chosen.rename(columns={"test_loss": "loss"}))
        lines = []
        for name, rows in compared.items():
            values = self._means(rows, "loss")
            texts = (
                loss_text(value) + ("" if np.isnan(value) else self._marks(rows, str(each)))
                for each, value in values.items()
            )
            lines.append([name, loss_text(values.mean(skipna=False)), *texts])
        if self._baseline_name in compared and NAMES[ANY] in compared:
            first, second = (
                self._means(compared[name], "loss") for name in (self._baseline_name, NAMES[ANY])
            )
            ratio = loss_text(second.mean(skipna=False) / first.mean(skipna=False))
            lines.append(
                ["ratio of the second to the first", f"**{ratio}**", *map(loss_text, second / first)]
            )
        return table(["loss", "mean", *self.labels.values()], lines)

    def errors(self) -> str:
        """Compare the mean absolute errors of numbers, in their units."""
        errors = self.scores[(self.scores["metric"] == "mae") & self.scores["objective"].isin(self.labels)]
        if errors.empty:
            return ""
        cell = [name for name in KEYS if name in self.chosen.columns]
        chosen = self.chosen[[*cell, "role"]].merge(errors, on=cell)
        units = dict(zip(self.cells["objective"], self.cells["unit"], strict=True))
        numbers = [name for name in self.labels if name in set(errors["objective"])]
        heads = [
            f"{self.labels[name]} ({plain(units[name])})" if units[name] else self.labels[name]
            for name in numbers
        ]
        lines = [
            [name, *(number_text(value, ".4g") for value in self._means(rows, "value")[numbers])]
            for name, rows in self._compared(errors, chosen).items()
        ]
        return table(["mean absolute error", *heads], lines)

    @cached_property
    def _baseline_name(self) -> str:
        return row_name(self.baseline[0], facets_text(self.baseline[1])) if self.baseline else ""

    def _compared(self, own: pd.DataFrame, chosen: pd.DataFrame) -> dict[str, pd.DataFrame]:
        """Return the rows of the baseline, and of the cells that are chosen for each role, in its repeats."""
        own, chosen = (rows[rows["repeat"].isin(self._repeats_of_baseline)] for rows in (own, chosen))
        found = {self._baseline_name: self._of_baseline(own)}
        found |= {text: chosen[chosen["role"] == role] for role, text in NAMES.items()}
        return {text: rows for text, rows in found.items() if not rows.empty}

    def _means(self, rows: pd.DataFrame, name: str) -> pd.Series:
        """Return the mean of a column by objective; missing if it is for a repeat."""
        means = rows.groupby("objective")[name].agg(lambda values: values.mean(skipna=False))
        return means.reindex(list(self.labels))

    def _marks(self, rows: pd.DataFrame, objective: str) -> str:
        """Mark a mean over cells of which some reveal the objective, or were pretrained on it."""
        own = rows.loc[rows["objective"] == objective, "combination"].unique()
        revealing = self.cells["contains_answer"] & (self.cells["objective"] == objective)
        reveals = set(self.cells.loc[revealing, "combination"])
        pretrained = any(pretrained_mark(combination, objective) for combination in own)
        return (DAGGER if reveals & set(own) else "") + (DOUBLE_DAGGER if pretrained else "")

    def tested_comparisons(self) -> str:
        """List the verdicts by comparison and objective."""
        lines = []
        for comparison, own in self.verdicts.groupby("comparison", sort=False):
            compared = self.chosen[self.chosen["role"].isin(COMPARISONS[str(comparison)])]
            verdicts = own.set_index("objective").reindex(list(self.labels)).to_dict("index")
            texts = (_verdict(row, self._marks(compared, str(name))) for name, row in verdicts.items())
            lines.append([str(comparison), *texts])
        return table(["verdict (difference)", *self.labels.values()], lines)

    def contributions(self) -> str:
        """Show the Shapley values of the facets for the methods that validation rows choose."""
        own = self.shares[self.shares["method"] == CHOSEN]
        if own.empty:
            return ""
        known = [name for name in self.labels if name in set(own["objective"])]
        lines = []
        for facet, rows in own.groupby("facet", sort=False):
            records = rows.set_index("objective").reindex(known).to_dict("records")
            mean = rows["value"].mean() if len(rows) == len(self.labels) else np.nan
            lines.append([str(facet), loss_text(mean), *map(_share, records)])
        heads = ["Shapley value (95 % interval)", "mean", *(self.labels[name] for name in known)]
        return f"{table(heads, lines)}\n\n{contribution_notes(own).strip()}".rstrip()

    def mean_losses(self) -> str:
        """Show the mean loss over the objectives, facets by methods."""
        if (means := self._mean_losses()).empty:
            return ""
        pivot = means.unstack("method")
        methods = [name for name in dict.fromkeys(self.cells["method"]) if name in pivot.columns]
        rows = sorted(pivot.index, key=order_of_combination)
        lines = [
            [self._facets(name), *("" if np.isnan(value) else loss_text(value) for value in values)]
            for name, values in zip(rows, pivot.loc[rows, methods].to_numpy(dtype=float), strict=True)
        ]
        n, of = len(self._shared_repeats), self.cells["repeat"].nunique()
        over = with_repeats("mean loss over the objectives", n, of)
        return table([over, *methods], lines)

    @cached_property
    def _shared_repeats(self) -> set[int]:
        """Repeats that all methods have: means over other repeats do not compare them."""
        return set.intersection(*(set(own) for _, own in self.cells.groupby("method")["repeat"]))

    def _mean_losses(self) -> pd.Series:
        shared = self.tested[self.tested["repeat"].isin(self._shared_repeats)]
        return mean_over_objectives(shared, ["combination", "method"], len(self.labels))

    def _facets(self, combination: str) -> str:
        """Name a combination, with its facets that have an untrained encoder."""
        own = self.cells.loc[self.cells["combination"] == combination, "untrained"]
        return facets_text(combination, {name for names in own for name in names})

    def figure(self, folder: Path) -> str:
        """Draw the losses of the method with the smallest mean loss, by facets and objective."""
        means = self._mean_losses().dropna().drop(NO_FACET, level="combination", errors="ignore")
        if means.empty:
            return ""
        best = means.groupby("method").min().idxmin()
        is_best = (self.tested["method"] == best) & self.tested["repeat"].isin(self._shared_repeats)
        own = self.tested[is_best & (self.tested["combination"] != NO_FACET)]
        values = own.groupby(["combination", "objective"])["loss"].mean().unstack()
        rows = sorted(values.index, key=order_of_combination)
        values = values.reindex(index=rows, columns=list(self.labels))
        if min(values.shape) == 1:
            # The table above shows as much.
            return ""
        values.index, values.columns = pd.Index(map(self._facets, rows)), pd.Index(self.labels.values())
        name = f"{self.source}-{self.split}.svg"
        draw_heatmap(folder / name, values, f"Loss of {best}")
        return f"![Loss of {best} by facets and objective]({name})"


def _verdict(row: Mapping[Any, Any], marks: str) -> str:
    if isinstance(row["reason"], str):
        return "not tested"
    # Adding 0 makes -0 positive.
    return f"{row['verdict']} ({round(row['difference'], 3) + 0:+.3f}){marks}"


def _share(row: Mapping[Any, Any]) -> str:
    if np.isnan(row["value"]):
        # The facet does not have all cells of this objective.
        return ""
    limits = "" if np.isnan(row["low"]) else f" ({row['low']:.3f} to {row['high']:.3f})"
    return f"{row['value']:.3f}{limits}"
