"""Heatmaps of the MASE: methods and facets by objective."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from polyfacet.evaluation.score_names import ALL
from polyfacet.reporting.naming import (
    CONTROL,
    facets_text,
    pretrained_legend,
    pretrained_mark,
    repeats_text,
    row_name,
    shared_repeats_text,
    with_repeats,
)
from polyfacet.reporting.numbers import number_range, number_text
from polyfacet.reporting.page.parts import Figure, Gallery, Paragraph, Part, Section
from polyfacet.reporting.page.results import Place, Results
from polyfacet.reporting.plots.heatmaps import heatmap
from polyfacet.reporting.plots.style import FULL, HALF
from polyfacet.training.cells import NO_FACET

# Methods with fewer combinations share a heatmap.
OWN_HEATMAP = 4
# MASE of the first and the last colour; 1 is that of the mean of the test values.
LIMITS = (0.0, 1.2)
# Method and combination.
Pair = tuple[str, str]


def heatmaps(results: Results) -> Section:
    """Draw the MASE of every method and combination."""
    parts: list[Part] = []
    for place in results.places:
        if figures := list(_heatmaps(results, place)):
            parts.append(Gallery(figures))
    return Section(
        "heatmap",
        "MASE by facets and objective",
        "Description: mean MASE over repeats; dark is good. 1 is as good as always predicting the "
        "mean of the test values.",
        parts or [Paragraph("No objective of this run is numeric.")],
    )


def _heatmaps(results: Results, place: Place) -> Iterator[Figure]:
    summary = place.of(results["summary"])
    if summary.empty:
        return
    own = summary[(summary["metric"] == "mase") & (summary["class"] == ALL) & (summary["objective"] != ALL)]
    if own.empty:
        return
    labels = {
        name: label for name, label in results.labels(place.source).items() if name in set(own["objective"])
    }
    scored = set(zip(own["method"], own["combination"], strict=True))
    pairs = [pair for pair in results.order_of_methods(place) if pair in scored]
    nothing = [pair for pair in pairs if pair[1] == NO_FACET]
    combinations: dict[str, list[Pair]] = {}
    for pair in pairs:
        if pair[1] != NO_FACET:
            combinations.setdefault(pair[0], []).append(pair)
    groups = _groups(results, place, combinations)
    for number_, (title, chosen) in enumerate(groups.items()):
        is_one = len({method for method, _ in chosen}) == 1
        yield _heatmap(results, place, own, labels, [*chosen, *nothing], title, number_, is_one=is_one)


def _groups(results: Results, place: Place, combinations: Mapping[str, list[Pair]]) -> dict[str, list[Pair]]:
    """Return the rows of each heatmap by its title: of one large method, or of the small ones together.

    Means over different numbers of repeats are on different test rows and are not drawn in one heatmap.
    """
    repeats = results.repeats_of(place)
    groups: dict[str, list[Pair]] = {}
    small: dict[int, list[Pair]] = {}
    for method, own in combinations.items():
        if len(own) >= OWN_HEATMAP:
            groups[results.method(place, method)] = own
        else:
            small.setdefault(repeats[method], []).extend(own)
    if not combinations:
        small[place.n_repeats] = []
    rest = "other methods" if groups else "methods" if len(small) > 1 else "all methods"
    return groups | {with_repeats(rest, n, place.n_repeats): own for n, own in small.items()}


def _heatmap(
    results: Results,
    place: Place,
    rows: pd.DataFrame,
    labels: dict[str, str],
    pairs: list[Pair],
    title: str,
    number_: int,
    *,
    is_one: bool,
) -> Figure:
    found = {(row["method"], row["combination"], row["objective"]): row for row in rows.to_dict("records")}
    drawn = [[found.get((*pair, name), {}) for name in labels] for pair in pairs]
    numbers = [row["n"] for own in drawn for row in own if row]
    # Baselines have other repeats than a slow method: both are shown on those that all methods have.
    is_uneven = len(set(numbers)) > 1
    of = "shared_" if is_uneven else ""
    means = [[row.get(f"{of}mean", np.nan) for row in own] for own in drawn]
    values = pd.DataFrame(
        means, index=_names(results, place, pairs, is_one=is_one), columns=list(labels.values()), dtype=float
    )
    n = [row[f"{of}n"] for own in drawn for row in own if row]
    over = f"the {repeats_text(number_range(n))}"
    if is_uneven:
        over = f"{shared_repeats_text(n)}, as some rows have no others"
    scored = results.test_rows(place)
    is_drawn = pd.MultiIndex.from_frame(scored[["method", "combination"]]).isin(pairs)
    is_drawn &= scored["objective"].isin(list(labels)) & (scored["is_shared"] | (not is_uneven))
    legend = pretrained_legend(rows[pd.MultiIndex.from_frame(rows[["method", "combination"]]).isin(pairs)])
    return Figure(
        f"mase-{place.name}-{number_}",
        title,
        f"{place.title}: mean MASE of {len(pairs)} rows and {len(labels)} objectives over "
        f"{over}, on {_counts(scored[is_drawn])} per repeat. † facets reveal the "
        "objective; grey: not trained, or no score in some repeat. Values above 1.2 have the last colour. "
        f"{legend}".rstrip(),
        heatmap(
            values,
            LIMITS,
            "" if len(labels) <= 8 else "MASE",
            HALF if len(labels) <= 8 else FULL,
            texts=_texts(values, pairs, list(labels), results.flagged(place)),
            hover=pd.DataFrame(
                [
                    [
                        f"{results.name(place, *pair)}\n{label}: {_said(row, of)}"
                        for row, label in zip(own, labels.values(), strict=True)
                    ]
                    for own, pair in zip(drawn, pairs, strict=True)
                ]
            ),
        ),
        ["summary"],
    )


def _names(results: Results, place: Place, pairs: Sequence[Pair], *, is_one: bool) -> list[str]:
    """Name the rows, in short: the text at the pointer says which of the facets is the control."""
    controls = results.controls(place)
    return [
        (
            combination
            if is_one and combination != NO_FACET
            else row_name(results.method(place, method), facets_text(combination))
        )
        + (f" ({CONTROL})" if (method, combination) in controls else "")
        for method, combination in pairs
    ]


def _texts(
    values: pd.DataFrame,
    pairs: Sequence[Pair],
    objectives: Sequence[str],
    flagged: Collection[tuple[str, str, str]],
) -> pd.DataFrame:
    """Write the means, with a dagger where facets reveal the objective, or were pretrained on it."""
    return pd.DataFrame(
        [
            [
                "" if np.isnan(mean) else f"{mean:.2f}{_marks(pair, name, flagged)}"
                for mean, name in zip(own, objectives, strict=True)
            ]
            for own, pair in zip(values.to_numpy(), pairs, strict=True)
        ]
    )


def _marks(pair: Pair, objective: str, flagged: Collection[tuple[str, str, str]]) -> str:
    dagger = "†" if (*pair, objective) in flagged else ""
    return dagger + pretrained_mark(pair[1], objective).strip()


def _counts(rows: pd.DataFrame) -> str:
    """Write the numbers of test rows, and of those that are non-trivial."""
    if rows.empty:
        return "no test rows"
    return (
        f"{number_range(rows['n_test'])} test rows ({number_range(rows['n_nontrivial'])} of them "
        "non-trivial: they differ from the most frequent value)"
    )


def _said(row: Mapping[Any, Any], of: str) -> str:
    mean, low, high = (number_text(row.get(f"{of}{name}", np.nan), ".3f") for name in ("mean", "low", "high"))
    return f"MASE {mean}\n95 % interval {low} to {high}"
