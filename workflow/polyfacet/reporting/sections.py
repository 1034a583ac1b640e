"""What is predicted, one section each: scores of all methods, wins, and published scores beside."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from polyfacet.evaluation.metrics import ALL
from polyfacet.reporting.grids import METRIC_LABELS
from polyfacet.reporting.numbers import mean_text
from polyfacet.runtime.markdown import plain, table
from polyfacet.training.cells import NO_FACET

# The split that a published score is compared on, unless its entry names another.
PUBLISHED_SPLIT = "random"


@dataclass(frozen=True)
class Section:
    """One thing that is predicted, and the scores that are shown of it, the decisive one first.

    Attributes
    ----------
    source, objective
        What; the objective ``all`` is the mean over the objectives of the source.
    name
        One class, or ``all``.
    metrics
        Scores.
    """

    source: str
    objective: str
    name: str
    metrics: tuple[str, ...]

    @property
    def title(self) -> str:
        """Heading."""
        what = "all objectives" if self.objective == ALL else self.objective
        return f"{self.source}: {what}" + ("" if self.name == ALL else f", {self.name}")

    def rows(self, comparison: pd.DataFrame, metric: str) -> pd.DataFrame:
        """Select a metric's rows of a comparison (or of single scores), with the name of their ``row``."""
        own = comparison[
            (comparison["source"] == self.source)
            & (comparison["objective"] == self.objective)
            & (comparison["class"] == self.name)
            & (comparison["metric"] == metric)
        ]
        return own.assign(row=_row_names(comparison[comparison["source"] == self.source], own))


def _row_names(comparison: pd.DataFrame, rows: pd.DataFrame) -> list[str]:
    """Name rows by method; where a method has several combinations, by these as well."""
    n_combinations = comparison.groupby("method")["combination"].nunique()
    return [
        method if n_combinations[method] == 1 or combination == NO_FACET else f"{method}: {combination}"
        for method, combination in zip(rows["method"], rows["combination"], strict=True)
    ]


def sections(comparison: pd.DataFrame) -> list[Section]:
    """List the sections, in the order of first mention, the mean over all objectives of a source first."""
    found = []
    keys = comparison[["source", "objective", "class"]].drop_duplicates()
    for source, objective, name in keys.itertuples(index=False):
        own = comparison[(comparison["source"] == source) & (comparison["objective"] == objective)]
        if name != ALL:
            metrics: tuple[str, ...] = ("f1", "precision", "recall")
        elif "macro_f1" in set(own["metric"]):
            metrics = ("macro_f1", "accuracy")
        else:
            metrics = ("r2", "mase") if objective == ALL else ("r2", "mase", "mae")
        found.append(Section(source, objective, name, metrics))
    sources = list(dict.fromkeys(section.source for section in found))
    return sorted(found, key=lambda section: (sources.index(section.source), section.objective != ALL))


def overall(found: Sequence[Section]) -> list[Section]:
    """Select the section of each source that decides over a method: the mean over objectives or classes."""
    first = {section.source: section for section in reversed(found) if section.name == ALL}
    return [first[source] for source in dict.fromkeys(section.source for section in found)]


def published_value(
    section: Section, method: str, metric: str, published: Sequence[Mapping[str, Any]]
) -> float | tuple[float, float] | None:
    """Find the value of a published score; None where there is none."""
    entry = published_entry(section, method, metric, published)
    if entry is None:
        return None
    value = entry["value"]
    return tuple(value) if isinstance(value, Sequence) else value


def published_entry(
    section: Section, method: str, metric: str, published: Sequence[Mapping[str, Any]]
) -> Mapping[str, Any] | None:
    """Find the entry of a published score; None where there is none."""
    for entry in published:
        same_objective = entry.get("objective", section.objective) == section.objective != ALL
        same_class = entry.get("class", ALL) == section.name
        same = (entry["source"], entry["method"], entry["metric"]) == (section.source, method, metric)
        if same and same_objective and same_class:
            return entry
    return None


def section_markdown(
    section: Section, comparison: pd.DataFrame, published: Sequence[Mapping[str, Any]], reference: str | None
) -> str:
    """Write a section as a table: methods down; scores of each split, wins and the published score across."""
    primary = section.metrics[0]
    splits = list(dict.fromkeys(comparison.loc[comparison["source"] == section.source, "split"]))
    by_row = {
        (metric, split): section.rows(comparison, metric).query("split == @split").set_index("row")
        for metric in section.metrics
        for split in splits
    }
    named = section.rows(comparison, primary).drop_duplicates("row")
    has_published = any(
        published_value(section, method, primary, published) is not None for method in named["method"]
    )
    heads = [f"{METRIC_LABELS[metric]}, {split}" for metric, split in by_row]
    heads += [f"beats it, {split}" for split in splits] if reference else []
    heads += [f"{METRIC_LABELS[primary]}, published"] if has_published else []
    lines = []
    for row, method in zip(named["row"], named["method"], strict=True):
        texts = [_score_text(scores, row) for scores in by_row.values()]
        texts += [_wins_text(by_row[primary, split], row, reference) for split in splits if reference]
        texts += [range_text(published_value(section, method, primary, published))] if has_published else []
        lines.append([f"`{row}`", *texts])
    return table(["method", *heads], lines)


def section_title(section: Section) -> str:
    """Write the heading of a section; names of classes come from outside."""
    return plain(section.title)


def range_text(value: float | tuple[float, float] | None) -> str:
    """Write a published score, a number or a range."""
    if value is None:
        return ""
    return f"{value[0]:g} to {value[1]:g}" if isinstance(value, tuple) else f"{value:g}"


def _score_text(rows: pd.DataFrame, row: str) -> str:
    if row not in rows.index:
        return ""
    mean, std = rows["mean"][row], rows["std"][row]
    return mean_text(mean, std, ".1f" if abs(mean) >= 10 else ".3f")


def _wins_text(rows: pd.DataFrame, row: str, reference: str | None) -> str:
    if row not in rows.index or rows["method"][row] == reference or pd.isna(rows["wins"][row]):
        return ""
    return f"{rows['wins'][row]:.0f} of {rows['n'][row]}"
