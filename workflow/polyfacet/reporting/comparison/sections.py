"""A comparison as sections: what is predicted, the scores that tell how well, and the tables of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from polyfacet.evaluation.scores import ALL
from polyfacet.reporting.results import number_text

LABELS = {
    "r2": "R2",
    "mae": "MAE",
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "macro_f1": "macro F1",
    "accuracy": "accuracy",
}
SPLIT_LABELS = {"random": "random", "formula": "grouped", "scikit_learn": "scikit-learn"}
# The split that a published score is compared on, unless its entry names another.
PUBLISHED_SPLIT = "random"


@dataclass(frozen=True)
class Section:
    """One thing that is predicted, and the scores that are shown of it, the decisive one first."""

    table: str
    target: str
    name: str
    metrics: tuple[str, ...]

    @property
    def title(self) -> str:
        """Heading."""
        what = "all targets" if self.target == ALL else self.target
        return f"{self.table}: {what}" + ("" if self.name == ALL else f", {self.name}")

    def rows(self, comparison: pd.DataFrame, metric: str) -> pd.DataFrame:
        """Select a metric's rows of a comparison (or of single scores)."""
        return comparison[
            (comparison["table"] == self.table)
            & (comparison["target"] == self.target)
            & (comparison["class"] == self.name)
            & (comparison["metric"] == metric)
        ]


def sections(comparison: pd.DataFrame) -> list[Section]:
    """Give the sections, in the order of first mention, the mean over all targets of a table first."""
    found = []
    keys = comparison[["table", "target", "class"]].drop_duplicates()
    for table, target, name in keys.itertuples(index=False):
        own = comparison[(comparison["table"] == table) & (comparison["target"] == target)]
        if name != ALL:
            metrics: tuple[str, ...] = ("f1", "precision", "recall")
        elif "macro_f1" in set(own["metric"]):
            metrics = ("macro_f1", "accuracy")
        else:
            metrics = ("r2",) if target == ALL else ("r2", "mae")
        found.append(Section(table, target, name, metrics))
    tables = list(dict.fromkeys(section.table for section in found))
    return sorted(found, key=lambda section: (tables.index(section.table), section.target != ALL))


def overall(found: Sequence[Section]) -> list[Section]:
    """Give the one section of each table that decides over a method: the mean over targets or classes."""
    first = {section.table: section for section in reversed(found) if section.name == ALL}
    return [first[table] for table in dict.fromkeys(section.table for section in found)]


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
        same_target = entry.get("target", section.target) == section.target != ALL
        same_class = entry.get("class", ALL) == section.name
        same = (entry["table"], entry["method"], entry["metric"]) == (section.table, method, metric)
        if same and same_target and same_class:
            return entry
    return None


def section_markdown(
    section: Section, comparison: pd.DataFrame, published: Sequence[Mapping[str, Any]], reference: str | None
) -> str:
    """Write a section as a table: methods down; scores of each split, wins and the published score across."""
    primary = section.metrics[0]
    splits = [name for name in SPLIT_LABELS if name in set(comparison["split"])]
    by_method = {
        (metric, split): section.rows(comparison, metric).query("split == @split").set_index("method")
        for metric in section.metrics
        for split in splits
    }
    heads = [f"{LABELS[metric]}, {SPLIT_LABELS[split]}" for metric, split in by_method]
    wins = [f"beats it, {SPLIT_LABELS[split]}" for split in splits] if reference else []
    methods = list(dict.fromkeys(section.rows(comparison, primary)["method"]))
    lines = [["method", *heads, *wins, f"{LABELS[primary]}, published"]]
    for method in methods:
        scores = [_score_text(table, method) for table in by_method.values()]
        won = [_wins_text(by_method[primary, split], method, reference) for split in splits if reference]
        lines.append(
            [f"`{method}`", *scores, *won, range_text(published_value(section, method, primary, published))]
        )
    width = len(lines[0])
    return "\n".join(
        f"| {' | '.join(cells)} |" for cells in [lines[0], ["---", *["---:"] * (width - 1)], *lines[1:]]
    )


def mean_text(mean: float, std: float) -> str:
    """Write mean and standard deviation; the spread of a single repeat is not known."""
    form = ".1f" if abs(mean) >= 10 else ".3f"
    return number_text(mean, form) + ("" if pd.isna(std) else f" ± {std:{form}}")


def range_text(value: float | tuple[float, float] | None) -> str:
    """Write a published score, a number or a range."""
    if value is None:
        return ""
    return f"{value[0]:g} to {value[1]:g}" if isinstance(value, tuple) else f"{value:g}"


def _score_text(rows: pd.DataFrame, method: str) -> str:
    return mean_text(rows["mean"][method], rows["std"][method]) if method in rows.index else ""


def _wins_text(rows: pd.DataFrame, method: str, reference: str | None) -> str:
    if method == reference or method not in rows.index or pd.isna(rows["wins"][method]):
        return ""
    return f"{rows['wins'][method]:.0f} of {rows['n'][method]}"
