"""What a comparison says, in sentences that follow from its numbers."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from polyfacet.reporting.comparison.sections import (
    LABELS,
    PUBLISHED_SPLIT,
    SPLIT_LABELS,
    Section,
    mean_text,
    overall,
    published_entry,
    published_value,
    range_text,
    sections,
)
from polyfacet.runtime.markdown import plain

# A published score counts as reproduced within so many standard deviations of ours over the repeats,
REPRODUCED_WITHIN = 2.0
# which may not be larger than this: a method that scatters enough would reproduce anything.
MAX_SPREAD = 0.02


def findings(
    comparison: pd.DataFrame, published: Sequence[Mapping[str, Any]], reference: str | None
) -> list[str]:
    """Say for each table which method is best on each split, what grouping costs, and what reproduces.

    Parameters
    ----------
    comparison
        See `polyfacet.evaluation.scores.compare`.
    published
        Published scores, entries of `comparison.published` of a configuration.
    reference
        Method that the others are held against; None for none.

    Returns
    -------
    list of str
        Sentences.
    """
    found = sections(comparison)
    said = []
    for section in overall(found):
        rows = section.rows(comparison, section.metrics[0])
        for split in SPLIT_LABELS:
            said += _best(section, rows[rows["split"] == split].set_index("method"), split, reference)
        said += _cost_of_grouping(section, rows)
    for section in found:
        said += _reproduced(section, comparison, published)
    return said


def _best(section: Section, rows: pd.DataFrame, split: str, reference: str | None) -> list[str]:
    """Name the best method of a split, and whether it beats the reference."""
    if rows["mean"].isna().all():
        return []
    best = rows["mean"].idxmax()
    label = LABELS[section.metrics[0]]
    sentence = (
        f"{plain(section.title)}, {SPLIT_LABELS[split]} split: `{best}` is best, {label} "
        f"{mean_text(rows['mean'][best], rows['std'][best])} over {rows['n'][best]} repeats"
    )
    if reference is not None and reference in rows.index and best != reference:
        sentence += (
            f"; `{reference}` has {mean_text(rows['mean'][reference], rows['std'][reference])} and is beaten "
            f"in {rows['wins'][best]:.0f} of {rows['n'][best]}"
        )
    return [f"{sentence}."]


def _cost_of_grouping(section: Section, rows: pd.DataFrame) -> list[str]:
    """Say how much of the scores of the random split the grouped one leaves."""
    means = rows.pivot_table(index="method", columns="split", values="mean")
    if not {"random", "formula"} <= set(means.columns) or means.dropna().empty:
        return []
    drop = (means["random"] - means["formula"]).dropna()
    return [
        f"{plain(section.title)}: with whole compositions held out, {LABELS[section.metrics[0]]} is "
        f"{_difference(-drop.median())} in the median over the methods (from {_difference(-drop.min())} for "
        f"`{drop.idxmin()}` to {_difference(-drop.max())} for `{drop.idxmax()}`)."
    ]


def _reproduced(
    section: Section, comparison: pd.DataFrame, published: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Compare published scores with ours on the split that their entry names."""
    said = []
    for metric in section.metrics:
        rows = section.rows(comparison, metric)
        for method in dict.fromkeys(rows["method"]):
            entry = published_entry(section, method, metric, published)
            value = published_value(section, method, metric, published)
            if entry is None or value is None:
                continue
            split = entry.get("split", PUBLISHED_SPLIT)
            ours = rows[(rows["split"] == split) & (rows["method"] == method)]
            if ours.empty:
                continue
            mean, std = ours["mean"].iloc[0], ours["std"].iloc[0]
            said.append(
                f"{plain(section.title)}: published {LABELS[metric]} of `{method}` {range_text(value)}, ours "
                f"{mean_text(mean, std)} on the {SPLIT_LABELS[split]} split: "
                f"{_verdict(mean, std, value, entry.get('differs'))}."
            )
    return said


def _difference(gap: float) -> str:
    """Say how much higher or lower a score is, as exactly as scores are printed."""
    if abs(gap) < 0.0005:
        return "equal to three decimals"
    return f"{'lower' if gap < 0 else 'higher'} by {abs(gap):.3f}"


def _verdict(
    mean: float, std: float, value: float | tuple[float, float], differs: Sequence[str] | None
) -> str:
    """Judge a published score, if the settings of both are declared the same."""
    low, high = value if isinstance(value, tuple) else (value, value)
    if pd.isna(mean):
        return "ours failed"
    gap = mean - low if mean < low else max(0.0, mean - high)
    ours = f"ours is {'in the range' if low < high and not gap else _difference(gap)}"
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
