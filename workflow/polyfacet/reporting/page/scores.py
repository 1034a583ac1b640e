"""Scores of all methods: sortable tables, and heatmaps of the MASE."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from polyfacet.evaluation.metrics import ALL
from polyfacet.reporting.numbers import number_range, number_text
from polyfacet.reporting.page.parts import (
    Figure,
    Gallery,
    Paragraph,
    Part,
    Section,
    Table,
    count,
    interval,
    number,
    span,
    text,
)
from polyfacet.reporting.page.results import (
    CONTROL,
    DAGGER,
    NONTRIVIAL,
    Place,
    Results,
    facets_text,
    marked,
    row_name,
)
from polyfacet.reporting.plots.heatmaps import heatmap
from polyfacet.reporting.plots.style import FULL, HALF
from polyfacet.training.cells import NO_FACET

# Methods with fewer combinations share one heatmap.
OWN_HEATMAP = 4
# MASE of the first and the last colour; 1 is that of the mean of the test values.
LIMITS = (0.0, 1.2)
LEAD = (
    "Description, not a test: means over repeats, with 95 % bootstrap intervals over formulas. A higher "
    "rank here does not show that a method is better on other materials. † marks cells whose facets reveal "
    f"the objective; a facet whose encoder is untrained is called {CONTROL}."
)

# Objective, method, combination and metric to a row of the summary.
Scores = dict[tuple[str, str, str, str], dict[Any, Any]]


def score_tables(results: Results) -> Section:
    """List the scores of all methods and facets."""
    parts: list[Part] = []
    for place in results.places:
        parts += _tables(results, place)
    return Section("scores", "Scores", LEAD, parts or [Paragraph("No cell has a score.")])


def _tables(results: Results, place: Place) -> Iterator[Part]:
    summary = place.of(results["summary"])
    if summary.empty:
        return
    overall = summary[summary["class"] == ALL]
    if len(all_rows := overall[(overall["objective"] == ALL) & (overall["metric"] == "mase")]):
        yield _over_objectives(results, place, all_rows)
    own = overall[overall["objective"] != ALL]
    found: Scores = {
        (row["objective"], row["method"], row["combination"], row["metric"]): row
        for row in own.to_dict("records")
    }
    for kind, metrics in (("numbers", ("mase", "mae", "r2")), ("classes", ("macro_f1", "accuracy"))):
        if metrics[0] in set(own["metric"]):
            yield _table(results, place, found, kind, metrics)
    by_class = summary[(summary["class"] != ALL) & (summary["metric"] == "f1")]
    if len(by_class):
        yield _class_table(results, place, by_class)


def _over_objectives(results: Results, place: Place, rows: pd.DataFrame) -> Table:
    repeats = results.repeats_of(place)
    tested, controls = results.test_rows(place, ALL), results.controls(place)
    own = place.of(results.cells)
    n = own.loc[own["classes"].map(len) == 0, "objective"].nunique()
    return Table(
        f"scores-{place.name}-all",
        f"{place.title}: mean MASE over {n} objectives. 1 is as good as always predicting the mean of the "
        f"test values. Test rows are added up over the objectives. {NONTRIVIAL}",
        ["method", "facets", "repeats", "mean MASE", "95 % interval", "test rows", "non-trivial"],
        [
            [
                text(row["method"]),
                text(facets_text(row["combination"], controls.get((row["method"], row["combination"]), ()))),
                count(repeats.get(row["method"])),
                number(row["mean"], ".3f"),
                interval(row["low"], row["high"]),
                span(list(tested["n_test"])),
                span(list(tested["n_nontrivial"])),
            ]
            for _, row in rows.sort_values("mean").iterrows()
        ],
        ["summary"],
    )


def _table(
    results: Results,
    place: Place,
    found: Scores,
    kind: str,
    metrics: tuple[str, ...],
) -> Table:
    labels, repeats = results.labels(place.source), results.repeats_of(place)
    flagged, controls = results.flagged(place), results.controls(place)
    names = {"mase": "MASE", "mae": "MAE", "r2": "R²", "macro_f1": "macro F1", "accuracy": "accuracy"}
    counts = {name: results.test_rows(place, name) for name in labels}
    rows = []
    for objective, method, combination in dict.fromkeys(key[:3] for key in found):
        if bool(results.classes(place.source, objective)) != (kind == "classes"):
            continue
        mark = DAGGER if (method, combination, objective) in flagged else ""
        own = [found.get((objective, method, combination, metric), {}) for metric in metrics]
        first, *others = own
        scores = [number(first.get("mean"), ".3f", mark), interval(first.get("low"), first.get("high"))]
        scores += [
            number(score.get("mean"), ".3g" if metric == "mae" else ".3f")
            for score, metric in zip(others, metrics[1:], strict=True)
        ]
        tested = counts[objective]
        rows.append(
            [
                text(results.with_unit(place.source, objective)),
                text(method),
                text(facets_text(combination, controls.get((method, combination), ()))),
                *scores,
                span(list(tested["n_test"])),
                span(list(tested["n_nontrivial"])),
                count(repeats.get(method)),
            ]
        )
    head = ["objective", "method", "facets", names[metrics[0]], "95 % interval"]
    head += [names[metric] for metric in metrics[1:]] + ["test rows", "non-trivial", "repeats"]
    return Table(
        f"scores-{place.name}-{kind}",
        f"{place.title}: scores on the test part, means over the repeats of each method. {NONTRIVIAL} All "
        "methods of an objective are scored on the same rows.",
        head,
        rows,
        ["summary", "scores"],
    )


def _class_table(results: Results, place: Place, rows: pd.DataFrame) -> Table:
    labels, controls = results.labels(place.source), results.controls(place)
    counts = {name: results.test_rows(place, name) for name in rows["objective"].unique()}
    return Table(
        f"scores-{place.name}-per-class",
        f"{place.title}: F1 of each class, means over repeats; test rows are those of all classes. "
        f"{NONTRIVIAL}",
        ["objective", "class", "method", "facets", "F1", "test rows", "non-trivial", "repeats"],
        [
            [
                text(labels.get(row["objective"], row["objective"])),
                text(row["class"]),
                text(row["method"]),
                text(facets_text(row["combination"], controls.get((row["method"], row["combination"]), ()))),
                number(row["mean"], ".3f"),
                span(list(counts[row["objective"]]["n_test"])),
                span(list(counts[row["objective"]]["n_nontrivial"])),
                count(row["n"]),
            ]
            for _, row in rows.iterrows()
        ],
        ["summary"],
    )


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
    pairs = results.order_of_methods(place)
    nothing = [pair for pair in pairs if pair[1] == NO_FACET]
    combinations: dict[str, list[tuple[str, str]]] = {}
    for pair in pairs:
        if pair[1] != NO_FACET:
            combinations.setdefault(pair[0], []).append(pair)
    large = {name: found for name, found in combinations.items() if len(found) >= OWN_HEATMAP}
    small = [pair for name, found in combinations.items() if name not in large for pair in found]
    repeats = results.repeats_of(place)
    groups = {marked(name, repeats, place): found for name, found in large.items()}
    if small or not groups:
        groups["other methods" if groups else "all methods"] = small
    for number_, (title, chosen) in enumerate(groups.items()):
        is_one = len({method for method, _ in chosen}) == 1
        yield _heatmap(results, place, own, labels, [*chosen, *nothing], title, number_, is_one=is_one)


def _heatmap(
    results: Results,
    place: Place,
    rows: pd.DataFrame,
    labels: dict[str, str],
    pairs: list[tuple[str, str]],
    title: str,
    number_: int,
    *,
    is_one: bool,
) -> Figure:
    flagged, repeats = results.flagged(place), results.repeats_of(place)
    controls = results.controls(place)
    names = [
        (
            combination
            if is_one and combination != NO_FACET
            else row_name(marked(method, repeats, place), combination)
        )
        + (f" ({CONTROL})" if (method, combination) in controls else "")
        for method, combination in pairs
    ]
    found = {(row["method"], row["combination"], row["objective"]): row for row in rows.to_dict("records")}
    means, texts, hover = [], [], []
    for method, combination in pairs:
        own = [found.get((method, combination, objective), {}) for objective in labels]
        means.append([row.get("mean", np.nan) for row in own])
        texts.append(
            [
                _with_mark(row, is_flagged=(method, combination, objective) in flagged)
                for row, objective in zip(own, labels, strict=True)
            ]
        )
        name = row_name(method, combination)
        hover.append(
            [f"{name}\n{label}: {_said(row)}" for row, label in zip(own, labels.values(), strict=True)]
        )
    values = pd.DataFrame(means, index=names, columns=list(labels.values()), dtype=float)
    tested = pd.concat([results.test_rows(place, name) for name in labels])
    return Figure(
        f"mase-{place.name}-{number_}",
        title,
        f"{place.title}: mean MASE of {len(pairs)} rows and {len(labels)} objectives, on "
        f"{_counts(tested)} per repeat. † facets reveal the objective; grey: no score in some repeat. "
        "Values above 1.2 have the last colour.",
        heatmap(
            values,
            LIMITS,
            "" if len(labels) <= 8 else "MASE",
            HALF if len(labels) <= 8 else FULL,
            texts=pd.DataFrame(texts),
            hover=pd.DataFrame(hover),
        ),
        ["summary"],
    )


def _counts(rows: pd.DataFrame) -> str:
    """Write the numbers of test rows, and of those that are non-trivial."""
    if rows.empty:
        return "no test rows"
    return (
        f"{number_range(rows['n_test'])} test rows ({number_range(rows['n_nontrivial'])} of them "
        "non-trivial: they differ from the most frequent value)"
    )


def _with_mark(row: dict[Any, Any], *, is_flagged: bool) -> str:
    mean = row.get("mean", np.nan)
    return "" if np.isnan(mean) else f"{mean:.2f}{'†' if is_flagged else ''}"


def _said(row: dict[Any, Any]) -> str:
    mean, low, high = (number_text(row.get(name, np.nan), ".3f") for name in ("mean", "low", "high"))
    return f"MASE {mean}\n95 % interval {low} to {high}"
