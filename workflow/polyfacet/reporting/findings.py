"""State in sentences what follows from the scores."""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from polyfacet.evaluation.roles import BASELINE, MULTI, SINGLE
from polyfacet.evaluation.score_names import ALL, LOWER_IS_BETTER
from polyfacet.reporting.grids import METRIC_LABELS, SHOWN, Grid
from polyfacet.reporting.numbers import difference_text, mean_text, score_form
from polyfacet.reporting.published import reproduction_findings
from polyfacet.reporting.sections import Section, overall, sections
from polyfacet.runtime.markdown import plain
from polyfacet.splits.methods import FORMULA, RANDOM


def grid_findings(grid: Grid) -> list[str]:
    """State for each objective of a grid which facets and which baseline have the best score."""
    decisive, other = SHOWN[grid.kind]
    facets, baselines = grid.with_role(SINGLE, MULTI), grid.with_role(BASELINE)
    tables = {
        (metric, value): grid.values(metric, f"shared_{value}")
        for metric in (decisive, other)
        for value in ("mean", "std")
    }
    values = tables[decisive, "mean"]
    lines = []

    def scores(row: str, name: str) -> str:
        unit = f" {plain(grid.units[name])}" if grid.units[name] and other == "mae" else ""
        texts = {
            metric: mean_text(
                tables[metric, "mean"][name][row],
                tables[metric, "std"][name][row],
                score_form(metric),
            )
            for metric in (decisive, other)
        }
        return f"{METRIC_LABELS[decisive]} {texts[decisive]} ({METRIC_LABELS[other]} {texts[other]}{unit})"

    for name, label in grid.objectives.items():
        over = f", {over_shared}" if (over_shared := grid.over_shared_of(name)) else ""
        where = f"{plain(grid.source)}, split `{grid.split}`{over}: "
        best = _best_row(values.loc[facets, name], decisive)
        baseline = _best_row(values.loc[baselines, name], decisive)
        if best is None:
            known = grid.values(other, "mean")[name].notna().any()
            lacking = f"a {METRIC_LABELS[decisive]} in every repeat" if known else "a result"
            which = "cell" if baseline is None else "cell with facets"
            which += ", untrained controls aside," if grid.controls else ""
            lines.append(f"- {where}{plain(label)}: no {which} has {lacking}")
            continue
        said = f"- {where}{plain(label)}: best facets: `{best}`, {scores(best, name)}"
        if baseline == best:
            said += ", which is a baseline: it sees the composition alone"
        elif baseline is not None:
            said += f"; best baseline: `{baseline}`, {scores(baseline, name)}"
        elif baselines:
            said += "; no baseline has a result"
        lines.append(said)
    return lines


def _best_row(values: pd.Series, metric: str) -> str | None:
    if values.notna().sum() == 0:
        return None
    return str(values.idxmin() if metric in LOWER_IS_BETTER else values.idxmax())


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
        See `polyfacet.evaluation.means.compare`.
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
                said += [
                    f"{sentence}{_left_out(section, comparison, own, split)}."
                    for sentence in _best(section, own, split, reference)
                ]
        said += _cost_of_grouping(section, rows, split_methods)
    for section in found:
        said += reproduction_findings(section, comparison, published, split_methods)
    return [f"- {sentence}" for sentence in said]


def _best(section: Section, rows: pd.DataFrame, split: str, reference: str | None) -> list[str]:
    """State the best method of a split, controls aside, and in how many repeats it beats the reference.

    The sentence has no full stop.
    """
    keys = zip(rows["method"], rows["combination"], strict=True)
    is_control = np.array([key in section.controls for key in keys], dtype=bool)
    candidates = rows.loc[~is_control, "shared_mean"]
    if candidates.isna().all():
        return []
    best = candidates.idxmax()
    shared = " that all methods have" if (rows["n"] > rows["shared_n"]).any() else ""
    label = METRIC_LABELS[section.metrics[0]]
    sentence = (
        f"{plain(section.title)}, split `{split}`: `{best}` is best, {label} "
        f"{mean_text(rows['shared_mean'][best], rows['shared_std'][best])} over "
        f"{_repeats(rows['shared_n'][best])}{shared}"
    )
    against = rows[(rows["method"] == reference) & ~is_control]
    if against.empty or rows["method"][best] == reference:
        return [sentence]
    means = against["shared_mean"]
    row = means.idxmax() if means.notna().any() else against.index[0]
    sentence += f"; `{row}` has {mean_text(rows['shared_mean'][row], rows['shared_std'][row])}"
    n_combinations = int((rows["method"] == reference).sum())
    # Where the reference has a control, repeats that are won may be won against that.
    if len(against) == n_combinations and pd.notna(rows["wins"][best]):
        of_reference = (
            "it" if n_combinations == 1 else f"the best combination of `{reference}` in each repeat"
        )
        sentence += f"; {of_reference} is beaten in {rows['wins'][best]:.0f} of {_repeats(rows['n'][best])}"
    return [sentence]


def _left_out(section: Section, comparison: pd.DataFrame, rows: pd.DataFrame, split: str) -> str:
    """Name the methods that could not be the best, as they lack a score."""
    own = comparison[(comparison["source"] == section.source) & (comparison["split"] == split)]
    own = own[own["metric"] == section.metrics[0]]
    has_mean = rows[rows["shared_mean"].notna()]
    scored = set(zip(has_mean["method"], has_mean["combination"], strict=True))
    lacking = dict.fromkeys(zip(own["method"], own["combination"], strict=True))
    named = dict.fromkeys(
        f"`{method}: {combination}`" if method in set(has_mean["method"]) else f"`{method}`"
        for method, combination in lacking
        if (method, combination) not in scored | section.controls
    )
    return f"; left out, without a score of every objective or repeat: {', '.join(named)}" if named else ""


def _repeats(n: int) -> str:
    return "one repeat" if n == 1 else f"{n} repeats"


def _cost_of_grouping(section: Section, rows: pd.DataFrame, split_methods: Mapping[str, str]) -> list[str]:
    """State how much scores drop from random splits to splits by formula."""
    means = rows.pivot_table(index="row", columns="split", values="shared_mean")
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
