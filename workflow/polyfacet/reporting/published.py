"""Compare published scores with ours."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from polyfacet.evaluation.score_names import ALL
from polyfacet.reporting.grids import METRIC_LABELS
from polyfacet.reporting.numbers import difference_text, mean_text, score_form
from polyfacet.reporting.sections import Section
from polyfacet.runtime.markdown import plain
from polyfacet.splits.methods import RANDOM

# A published score counts as reproduced within this many standard deviations of ours over the repeats,
REPRODUCED_WITHIN = 2.0
# which may be at most this large: a method with enough scatter would reproduce anything.
MAX_SPREAD = 0.02

Value = float | tuple[float, float]


def published_values(
    section: Section, rows: pd.DataFrame, metric: str, published: Sequence[Mapping[str, Any]]
) -> dict[str, list[Value]]:
    """Return the published values of a metric, by the name of their row.

    Parameters
    ----------
    section
        Section of the report.
    rows
        Its rows of this metric (`Section.rows`).
    metric
        Name of the score.
    published
        Published scores, entries of ``report.published`` of a configuration.
    """
    found: dict[str, list[Value]] = {}
    for entry in _entries_of(section, published):
        if entry["metric"] == metric:
            for row in _rows_of(entry, rows)["row"].unique():
                found.setdefault(row, []).append(_value(entry))
    return found


@dataclass(frozen=True)
class Reproduction:
    """A published score beside ours.

    Attributes
    ----------
    section
        Its section: source, objective and class.
    metric, row, split
        Name of the score, of the method with its facets, and of the split.
    method, combination
        The method and its facets.
    published
        The published value or range.
    mean, std
        Ours, over the repeats.
    verdict
        What follows.
    published_in
        Where it was published.
    """

    section: Section
    metric: str
    row: str
    split: str
    method: str
    combination: str
    published: Value
    mean: float
    std: float
    verdict: str
    published_in: str

    @property
    def mean_text(self) -> str:
        """Our mean and standard deviation."""
        return mean_text(self.mean, self.std, score_form(self.metric))


def reproductions(
    section: Section,
    comparison: pd.DataFrame,
    published: Sequence[Mapping[str, Any]],
    split_methods: Mapping[str, str],
) -> Iterator[Reproduction]:
    """Compare published scores with ours on the split that their entry names, otherwise on random splits.

    If there is no random split, scores that name none are shown on all splits, without a verdict.

    Parameters
    ----------
    section
        Section of the report.
    comparison
        See `polyfacet.evaluation.means.compare`.
    published
        Published scores, entries of ``report.published`` of a configuration.
    split_methods
        Split to its method.
    """
    for entry in _entries_of(section, published):
        metric, value = entry["metric"], _value(entry)
        own = _rows_of(entry, section.rows(comparison, metric))
        random = {split for split in own["split"] if split_methods[split] == RANDOM.name}
        compared = {entry["split"]} if "split" in entry else random or set(own["split"])
        differs = entry.get("differs")
        if "split" not in entry and not random:
            differs = ["the way to split", *(differs or [])]
        for row in own.to_dict("records"):
            split, mean, std = row["split"], row["mean"], row["std"]
            if split in compared:
                yield Reproduction(
                    section,
                    metric,
                    **{name: row[name] for name in ("row", "split", "method", "combination", "mean", "std")},
                    published=value,
                    verdict=_verdict(mean, std, value, differs, score_form(metric)),
                    published_in=entry.get("published_in", ""),
                )


def reproduction_findings(
    section: Section,
    comparison: pd.DataFrame,
    published: Sequence[Mapping[str, Any]],
    split_methods: Mapping[str, str],
) -> list[str]:
    """State in Markdown how published scores compare with ours; see `reproductions`."""
    return [
        f"{plain(section.title)}: published {METRIC_LABELS[found.metric]} of `{found.row}` "
        f"{range_text(found.published)}, ours {found.mean_text} on the split "
        f"`{found.split}`: {plain(found.verdict)}."
        for found in reproductions(section, comparison, published, split_methods)
    ]


def range_text(value: Value) -> str:
    """Format a published score, a number or a range."""
    return f"{value[0]:g} to {value[1]:g}" if isinstance(value, tuple) else f"{value:g}"


def _entries_of(section: Section, published: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Select the entries for the objective of a section; the mean over all objectives has none."""
    for entry in published:
        same_objective = entry.get("objective", section.objective) == section.objective != ALL
        if same_objective and (entry["source"], entry.get("class", ALL)) == (section.source, section.name):
            yield entry


def _rows_of(entry: Mapping[str, Any], rows: pd.DataFrame) -> pd.DataFrame:
    """Select the rows of an entry's method and combination; if it names none, of the only combination."""
    own = rows[rows["method"] == entry["method"]]
    if "combination" in entry:
        return own[own["combination"] == entry["combination"]]
    return own if own["combination"].nunique() == 1 else own.iloc[:0]


def _value(entry: Mapping[str, Any]) -> Value:
    value = entry["value"]
    return (value[0], value[1]) if isinstance(value, Sequence) else value


def _verdict(mean: float, std: float, value: Value, differs: Sequence[str] | None, form: str) -> str:
    """Judge a published score if both are declared to have the same settings."""
    low, high = value if isinstance(value, tuple) else (value, value)
    if pd.isna(mean):
        return "ours failed"
    gap = mean - low if mean < low else max(0.0, mean - high)
    ours = f"ours is {'in the range' if low < high and not gap else difference_text(gap, form)}"
    if differs is None:
        verdict = f"{ours}; no verdict, it is not declared whether the settings are the same"
    elif differs:
        verdict = f"{ours}; not comparable, differs in {', '.join(differs)}"
    elif pd.isna(std):
        verdict = f"{ours}; no spread to judge by"
    elif abs(gap) > REPRODUCED_WITHIN * std:
        verdict = f"not reproduced, {ours}"
    elif std > MAX_SPREAD:
        verdict = f"{ours}; no verdict, ours scatters by more than {MAX_SPREAD:g}"
    else:
        verdict = f"reproduced within {REPRODUCED_WITHIN:g} standard deviations, {ours}"
    return verdict
