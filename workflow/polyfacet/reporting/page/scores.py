"""Scores of all methods: sortable tables."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pandas as pd

from polyfacet.evaluation.score_names import ALL
from polyfacet.evaluation.tables import COUNTS
from polyfacet.reporting.naming import (
    CONTROL,
    DAGGER,
    pretrained_legend,
    pretrained_mark,
    shared_repeats_text,
)
from polyfacet.reporting.page.parts import (
    Paragraph,
    Part,
    Section,
    Table,
    Value,
    count,
    interval,
    number,
    span,
    text,
)
from polyfacet.reporting.page.results import NONTRIVIAL, Place, Results

LEAD = (
    "Description, not a test: means over repeats, with 95 % bootstrap intervals over formulas. A higher "
    "rank here does not show that a method is better on other materials. † marks cells whose facets reveal "
    f"the objective; a facet whose encoder is untrained is called {CONTROL}."
)
ROWS = ["test rows", "non-trivial"]

# Objective, method, combination and metric to a row of the summary.
Scores = dict[tuple[str, str, str, str], dict[Any, Any]]


def score_tables(results: Results) -> Section:
    """List the scores of all methods and facets."""
    parts: list[Part] = []
    for place in results.places:
        parts += _tables(results, place)
    lead = f"{LEAD} {pretrained_legend(results.cells)}".rstrip()
    return Section("scores", "Scores", lead, parts or [Paragraph("No cell has a score.")])


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
            of_kind = {key: row for key, row in found.items() if key[3] in metrics}
            yield _table(results, place, of_kind, kind, metrics)
    by_class = summary[(summary["class"] != ALL) & (summary["metric"] == "f1")]
    if len(by_class):
        yield _class_table(results, place, by_class)


def _is_uneven(rows: Iterable[Mapping[Any, Any]]) -> bool:
    """Return whether some rows of the summary are of more repeats than all methods have."""
    return any(row["n"] > row["shared_n"] for row in rows)


def _shared(rows: Iterable[Mapping[Any, Any]]) -> str:
    """Explain the column of the means over shared repeats."""
    repeats = shared_repeats_text([row["shared_n"] for row in rows])
    return (
        " Methods have different numbers of repeats, and thus different test rows. Compare them in the "
        f"column “shared”: the mean over {repeats}."
    )


def _over_objectives(results: Results, place: Place, table: pd.DataFrame) -> Table:
    own = place.of(results.cells)
    n = own.loc[own["classes"].map(len) == 0, "objective"].nunique()
    rows = table.sort_values(["shared_mean", "mean"]).to_dict("records")
    is_uneven = _is_uneven(rows)
    return Table(
        f"scores-{place.name}-all",
        f"{place.title}: mean MASE over {n} objectives. 1 is as good as always predicting the mean of the "
        f"test values. Test rows are those of each repeat, added up over the objectives. {NONTRIVIAL}"
        f"{_shared(rows) if is_uneven else ''}",
        [
            *("method", "facets", "repeats", "mean MASE", "95 % interval"),
            *(("shared", "its interval") if is_uneven else ()),
            *ROWS,
        ],
        [
            [
                text(row["method"]),
                text(results.facets(place, row["method"], row["combination"])),
                count(row["n"]),
                number(row["mean"], ".3f"),
                interval(row["low"], row["high"]),
                *(
                    (number(row["shared_mean"], ".3f"), interval(row["shared_low"], row["shared_high"]))
                    if is_uneven
                    else ()
                ),
                *_rows(results, place, row["objective"], row["method"], row["combination"]),
            ]
            for row in rows
        ],
        ["summary"],
    )


def _rows(results: Results, place: Place, objective: str, method: str, combination: str) -> list[Value]:
    """Return the numbers of test rows of a method and combination in each of its repeats."""
    scored = results.test_rows_of(place, objective, method, combination)
    return [span(list(scored[name])) for name in COUNTS]


def _table(
    results: Results,
    place: Place,
    found: Scores,
    kind: str,
    metrics: tuple[str, ...],
) -> Table:
    flagged = results.flagged(place)
    names = {"mase": "MASE", "mae": "MAE", "r2": "R²", "macro_f1": "macro F1", "accuracy": "accuracy"}
    is_uneven = _is_uneven(found.values())
    rows = []
    for objective, method, combination in dict.fromkeys(key[:3] for key in found):
        mark = DAGGER if (method, combination, objective) in flagged else ""
        mark += pretrained_mark(combination, objective)
        first, *others = [found.get((objective, method, combination, metric), {}) for metric in metrics]
        scores = [number(first.get("mean"), ".3f", mark), interval(first.get("low"), first.get("high"))]
        scores += [number(first.get("shared_mean"), ".3f", mark)] if is_uneven else []
        scores += [
            number(score.get("mean"), ".3g" if metric == "mae" else ".3f")
            for score, metric in zip(others, metrics[1:], strict=True)
        ]
        rows.append(
            [
                text(results.with_unit(place.source, objective)),
                text(method),
                text(results.facets(place, method, combination)),
                *scores,
                *_rows(results, place, objective, method, combination),
                count(results.repeats_of(place)[method]),
            ]
        )
    head = ["objective", "method", "facets", names[metrics[0]], "95 % interval"]
    head += ["shared"] if is_uneven else []
    head += [names[metric] for metric in metrics[1:]] + [*ROWS, "repeats"]
    return Table(
        f"scores-{place.name}-{kind}",
        f"{place.title}: scores on the test part, means over the repeats of each method. In each "
        "repeat, all methods of an objective are scored on the same test rows. "
        f"{NONTRIVIAL}{_shared(found.values()) if is_uneven else ''}",
        head,
        rows,
        ["summary", "scores"],
    )


def _class_table(results: Results, place: Place, table: pd.DataFrame) -> Table:
    labels, rows = results.labels(place.source), table.to_dict("records")
    is_uneven = _is_uneven(rows)
    return Table(
        f"scores-{place.name}-per-class",
        f"{place.title}: F1 of each class, means over the repeats of each method. Test rows are those of "
        f"each repeat, of all classes. {NONTRIVIAL}{_shared(rows) if is_uneven else ''}",
        [
            *("objective", "class", "method", "facets", "F1"),
            *(("shared",) if is_uneven else ()),
            *ROWS,
            "repeats",
        ],
        [
            [
                text(labels.get(row["objective"], row["objective"])),
                text(row["class"]),
                text(row["method"]),
                text(results.facets(place, row["method"], row["combination"])),
                number(row["mean"], ".3f"),
                *((number(row["shared_mean"], ".3f"),) if is_uneven else ()),
                *_rows(results, place, row["objective"], row["method"], row["combination"]),
                count(row["n"]),
            ]
            for row in rows
        ],
        ["summary"],
    )
