"""Sections as tables: scores of all methods, wins and published scores."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from polyfacet.reporting.grids import METRIC_LABELS
from polyfacet.reporting.naming import with_repeats
from polyfacet.reporting.numbers import mean_text
from polyfacet.reporting.published import published_values, range_text
from polyfacet.reporting.sections import Section
from polyfacet.runtime.markdown import plain, table


def section_markdown(
    section: Section, comparison: pd.DataFrame, published: Sequence[Mapping[str, Any]], reference: str | None
) -> str:
    """Format a section as a table: one row per method; scores of each split, wins and published scores."""
    primary = section.metrics[0]
    splits = list(dict.fromkeys(comparison.loc[comparison["source"] == section.source, "split"]))
    by_row = {
        (metric, split): section.rows(comparison, metric).query("split == @split").set_index("row")
        for metric in section.metrics
        for split in splits
    }
    named = section.rows(comparison, primary).drop_duplicates("row")
    values = published_values(section, named, primary, published)
    heads = [f"{METRIC_LABELS[metric]}, {split}" for metric, split in by_row]
    heads += [f"beats it, {split}" for split in splits] if reference else []
    heads += [f"{METRIC_LABELS[primary]}, published"] if values else []
    lines = []
    for row in named["row"]:
        texts = [_score_text(scores, row) for scores in by_row.values()]
        texts += [_wins_text(by_row[primary, split], row, reference) for split in splits if reference]
        texts += ["; ".join(map(range_text, values.get(row, [])))] if values else []
        lines.append([f"`{row}`", *texts])
    return table(["method", *heads], lines)


def section_title(section: Section) -> str:
    """Return the heading of a section, with names of classes escaped, as they are external text."""
    return plain(section.title)


def _score_text(rows: pd.DataFrame, row: str) -> str:
    if row not in rows.index:
        return ""
    mean, std = rows["mean"][row], rows["std"][row]
    said = mean_text(mean, std, ".1f" if abs(mean) >= 10 else ".3f")
    return with_repeats(said, rows["n"][row], rows["n"].max())


def _wins_text(rows: pd.DataFrame, row: str, reference: str | None) -> str:
    if row not in rows.index or rows["method"][row] == reference or pd.isna(rows["wins"][row]):
        return ""
    return f"{rows['wins'][row]:.0f} of {rows['n'][row]}"
