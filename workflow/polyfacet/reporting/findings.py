"""State in sentences what follows from the scores."""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import pandas as pd

from polyfacet.evaluation.metrics import ALL
from polyfacet.evaluation.scores import LOWER_IS_BETTER
from polyfacet.reporting.grids import METRIC_LABELS, SHOWN, Grid
from polyfacet.reporting.numbers import difference_text, mean_text
from polyfacet.reporting.published import reproduction_findings
from polyfacet.reporting.sections import Section, overall, sections
from polyfacet.runtime.markdown import plain
from polyfacet.splits.methods import FORMULA, RANDOM


def grid_findings(grid: Grid) -> list[str]:
    """State for each objective of a grid which row is best, compared with the best baseline."""
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
            known = grid.values(other, "mean")[name].notna().any()
            lacking = f"a {METRIC_LABELS[decisive]} in every repeat" if known else "a result"
            lines.append(f"- {where}{plain(label)}: no cell has {lacking}")
            continue
        said = f"- {where}{plain(label)}: `{best}` is best, {scores(best, name)}"
        if baseline is None:
            said += "; no baseline has a result" if grid.baselines else ""
        else:
            which = "the better baseline" if len(grid.baselines) > 1 else "the baseline"
            said += f"; {which}, `{baseline}`, has {scores(baseline, name)}"
            won += _is_better(values[name][best], values[name][baseline], decisive)
        lines.append(said)
    if trained and grid.baselines:
        n = len(grid.objectives)
        beaten = f"the best facets beat the baselines on {won} of {n} objectives ({grid.kind})"
        lines.insert(0, f"- {where}{beaten}")
    return lines


def _best_row(values: pd.Series, metric: str) -> str | None:
    if values.notna().sum() == 0:
        return None
    return str(values.idxmin() if metric in LOWER_IS_BETTER else values.idxmax())


def _is_better(value: float, other: float, metric: str) -> bool:
    return bool(value < other if metric in LOWER_IS_BETTER else value > other)


def comparison_findings(
    cells: pd.DataFrame,
    comparison: pd.DataFrame,
    published: Sequence[Mapping[str, Any]],
    reference: str | None,
) -> list[str]:
    """State which method is best over all objectives, what grouping costs, and what is reproduced.

    Parameters
    ----------
    cells
        Table of ``CELLS``.
    comparison
        See `polyfacet.evaluation.scores.compare`.
    published
        Published scores, entries of ``report.published`` of a configuration.
    reference
        Method that the others are compared with; None for none.
    """
    found = sections(cells, comparison)
    split_methods = dict(zip(cells["split"], cells["split_method"], strict=True))
    said = []
    for section in overall(found):
        rows = section.rows(comparison, section.metrics[0])
        if reference is not None or section.objective == ALL:
            for split in dict.fromkeys(rows["split"]):
                own = rows[rows["split"] == split].set_index("row")
                said += _best(section, own, split, reference)
        said += _cost_of_grouping(section, rows, split_methods)
    for section in found:
        said += reproduction_findings(section, comparison, published, split_methods)
    return [f"- {sentence}" for sentence in said]


def _best(section: Section, rows: pd.DataFrame, split: str, reference: str | None) -> list[str]:
    """State the best method of a split, and whether it beats the reference."""
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


def _cost_of_grouping(section: Section, rows: pd.DataFrame, split_methods: Mapping[str, str]) -> list[str]:
    """State how much scores drop from random splits to splits by formula."""
    means = rows.pivot_table(index="row", columns="split", values="mean")
    apart, whole = (
        [split for split in means.columns if split_methods[split] == method.name]
        for method in (RANDOM, FORMULA)
    )
    said = []
    for random, formula in product(apart, whole):
        drop = (means[random] - means[formula]).dropna()
        if not drop.empty:
            said.append(
                f"{plain(section.title)}: with entire compositions held out (`{formula}` instead of "
                f"`{random}`), {METRIC_LABELS[section.metrics[0]]} is {difference_text(-drop.median())} in "
                f"the median over the methods (from {difference_text(-drop.min())} for `{drop.idxmin()}` to "
                f"{difference_text(-drop.max())} for `{drop.idxmax()}`)."
            )
    return said
