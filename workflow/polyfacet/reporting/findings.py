"""What follows from the scores, in sentences."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from polyfacet.evaluation.metrics import ALL
from polyfacet.reporting.grids import LOWER_IS_BETTER, METRIC_LABELS, SHOWN, Grid
from polyfacet.reporting.numbers import mean_text
from polyfacet.reporting.sections import (
    PUBLISHED_SPLIT,
    Section,
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


def grid_findings(grid: Grid) -> list[str]:
    """Say for each objective of a grid which row is best, beside the best baseline."""
    decisive, other = SHOWN[grid.kind]
    trained = [row for row in grid.rows.values() if row not in grid.baselines]
    tables = {
        (metric, value): grid.values(metric, value)
        for metric in (decisive, other)
        for value in ("mean", "std")
    }
    values, where = tables[decisive, "mean"], f"{plain(grid.source)}, split `{grid.split}`: "
    lines, won = [], 0

    def scores(row: str, name: str) -> str:
        unit = f" {plain(grid.units[name])}" if grid.units[name] and other == "mae" else ""
        texts = {
            metric: mean_text(
                tables[metric, "mean"][name][row],
                tables[metric, "std"][name][row],
                ".4g" if metric == "mae" else ".3f",
            )
            for metric in (decisive, other)
        }
        return f"{METRIC_LABELS[decisive]} {texts[decisive]} ({METRIC_LABELS[other]} {texts[other]}{unit})"

    for name, label in grid.objectives.items():
        best = _best_row(values.loc[trained, name], decisive)
        baseline = _best_row(values.loc[grid.baselines, name], decisive)
        if best is None:
            lines.append(f"- {where}{plain(label)}: no cell has a result")
            continue
        said = f"- {where}{plain(label)}: `{best}` is best, {scores(best, name)}"
        if baseline is None:
            said += "; no baseline has a result" if grid.baselines else ""
        else:
            said += f"; the better baseline, `{baseline}`, has {scores(baseline, name)}"
            won += _is_better(values[name][best], values[name][baseline], decisive)
        lines.append(said)
    if trained and grid.baselines:
        n = len(grid.objectives)
        beaten = f"the best facets beat the baselines on {won} of {n} objectives that are {grid.kind}"
        lines.insert(0, f"- {where}{beaten}")
    return lines


def _best_row(values: pd.Series, metric: str) -> str | None:
    if values.notna().sum() == 0:
        return None
    return str(values.idxmin() if metric in LOWER_IS_BETTER else values.idxmax())


def _is_better(value: float, other: float, metric: str) -> bool:
    return bool(value < other if metric in LOWER_IS_BETTER else value > other)


def comparison_findings(
    comparison: pd.DataFrame, published: Sequence[Mapping[str, Any]], reference: str | None
) -> list[str]:
    """Say which method is best over all objectives, what grouping costs, and what reproduces.

    Parameters
    ----------
    comparison
        See `polyfacet.evaluation.scores.compare`.
    published
        Published scores, entries of ``report.published`` of a configuration.
    reference
        Baseline that the other methods are compared with; None for none.
    """
    found = sections(comparison)
    said = []
    for section in overall(found):
        rows = section.rows(comparison, section.metrics[0])
        if reference is not None or section.objective == ALL:
            for split in dict.fromkeys(rows["split"]):
                own = rows[rows["split"] == split].set_index("row")
                said += _best(section, own, split, reference)
        said += _cost_of_grouping(section, rows)
    for section in found:
        said += _reproduced(section, comparison, published)
    return [f"- {sentence}" for sentence in said]


def _best(section: Section, rows: pd.DataFrame, split: str, reference: str | None) -> list[str]:
    """Name the best method of a split, and whether it beats the reference."""
    if rows["mean"].isna().all():
        return []
    best = rows["mean"].idxmax()
    label = METRIC_LABELS[section.metrics[0]]
    sentence = (
        f"{plain(section.title)}, split `{split}`: `{best}` is best, {label} "
        f"{mean_text(rows['mean'][best], rows['std'][best])} over {_repeats(rows['n'][best])}"
    )
    against = rows[rows["method"] == reference]
    if not against.empty and rows["method"][best] != reference:
        row = against["mean"].idxmax() if against["mean"].notna().any() else against.index[0]
        sentence += f"; `{row}` has {mean_text(rows['mean'][row], rows['std'][row])}"
        if pd.notna(rows["wins"][best]):
            sentence += f" and is beaten in {rows['wins'][best]:.0f} of {rows['n'][best]}"
    return [f"{sentence}."]


def _repeats(n: int) -> str:
    return "one repeat" if n == 1 else f"{n} repeats"


def _cost_of_grouping(section: Section, rows: pd.DataFrame) -> list[str]:
    """Say how much of the scores of the random split the one by formula leaves."""
    means = rows.pivot_table(index="row", columns="split", values="mean")
    if not {"random", "formula"} <= set(means.columns) or means.dropna().empty:
        return []
    drop = (means["random"] - means["formula"]).dropna()
    return [
        f"{plain(section.title)}: with whole compositions held out, {METRIC_LABELS[section.metrics[0]]} is "
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
            if "combination" in entry:
                ours = ours[ours["combination"] == entry["combination"]]
            if ours.empty:
                continue
            mean, std = ours["mean"].iloc[0], ours["std"].iloc[0]
            said.append(
                f"{plain(section.title)}: published {METRIC_LABELS[metric]} of `{method}` "
                f"{range_text(value)}, ours {mean_text(mean, std)} on the split `{split}`: "
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
