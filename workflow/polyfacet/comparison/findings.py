"""What a comparison says, in sentences that follow from its numbers."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from polyfacet.comparison.sections import (
    LABELS,
    SPLIT_LABELS,
    Section,
    mean_text,
    overall,
    published_value,
    range_text,
    sections,
)

# A published score counts as reproduced within so many standard deviations of ours over the repeats.
REPRODUCED_WITHIN = 2.0


def findings(
    comparison: pd.DataFrame, published: Sequence[Mapping[str, Any]], reference: str | None
) -> list[str]:
    """Say for each table which method is best on each split, what grouping costs, and what reproduces.

    Parameters
    ----------
    comparison
        See `polyfacet.comparison.scores.compare`.
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
        f"{section.title}, {SPLIT_LABELS[split]} split: `{best}` is best, {label} "
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
    if not set(SPLIT_LABELS) <= set(means.columns) or means.dropna().empty:
        return []
    drop = (means["random"] - means["formula"]).dropna()
    return [
        f"{section.title}: with whole compositions held out, {LABELS[section.metrics[0]]} is lower by "
        f"{drop.median():.3f} in the median over the methods ({drop.min():.3f} for `{drop.idxmin()}` to "
        f"{drop.max():.3f} for `{drop.idxmax()}`)."
    ]


def _reproduced(
    section: Section, comparison: pd.DataFrame, published: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Hold our scores of the random split, the published way of splitting, against the published ones."""
    said = []
    for metric in section.metrics:
        rows = section.rows(comparison, metric)
        rows = rows[rows["split"] == "random"].set_index("method")
        for method in rows.index:
            value = published_value(section, method, metric, published)
            if value is None:
                continue
            mean, std = rows["mean"][method], rows["std"][method]
            said.append(
                f"{section.title}: published {LABELS[metric]} of `{method}` {range_text(value)}, ours "
                f"{mean_text(mean, std)} on the random split: {_verdict(mean, std, value)}."
            )
    return said


def _verdict(mean: float, std: float, value: float | tuple[float, float]) -> str:
    low, high = value if isinstance(value, tuple) else (value, value)
    margin = REPRODUCED_WITHIN * std
    if pd.isna(margin) or pd.isna(mean):
        return "no spread to judge by"
    if mean + margin < low:
        return "not reproduced, ours is lower"
    if mean - margin > high:
        return "not reproduced, ours is higher"
    return f"reproduced within {REPRODUCED_WITHIN:g} standard deviations"
