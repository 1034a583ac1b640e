"""What each facet contributes, and which pairs are redundant or synergistic."""

from collections.abc import Iterator, Mapping

import pandas as pd

from polyfacet.evaluation.contributions import CHOSEN, UNDECIDED
from polyfacet.reporting.page.parts import (
    Figure,
    Paragraph,
    Part,
    Section,
    Table,
    count,
    interval,
    number,
    text,
)
from polyfacet.reporting.page.results import DAGGER, Place, Results, facets_text
from polyfacet.reporting.plots.heatmaps import heatmap
from polyfacet.reporting.plots.intervals import grouped_bars
from polyfacet.reporting.plots.style import FULL

LEAD = (
    "Shapley values: the reduction of the loss, compared with looking at nothing, divided exactly among "
    "the facets over all their subsets. Intervals (95 %) are over repeats, corrected for overlapping "
    "training parts. They describe these methods on these data."
)
DIVERGING = [[0, "#b35806"], [0.25, "#f1a340"], [0.5, "#f7f7f7"], [0.75, "#998ec3"], [1, "#542788"]]


def contributions(results: Results) -> Section:
    """Show the contributions of the facets."""
    parts: list[Part] = []
    for place in results.places:
        own = place.of(results["contributions"])
        if len(own):
            parts += _contributions(results, place, own)
            parts += _interactions(results, place, place.of(results["interactions"]))
    nothing = "No method has all subsets of at least two facets, so contributions are not defined."
    return Section("contributions", "Contributions of the facets", LEAD, parts or [Paragraph(nothing)])


def shown_method(rows: pd.DataFrame) -> str:
    """Return the method of the figures: the one chosen on validation rows, if it has contributions."""
    methods = list(dict.fromkeys(rows["method"]))
    return CHOSEN if CHOSEN in methods else methods[0]


def _described(method: str) -> str:
    if method == CHOSEN:
        return "for each subset of facets the method that is best on validation rows"
    return f"the method {method}"


def _contributions(results: Results, place: Place, rows: pd.DataFrame) -> Iterator[Part]:
    method = shown_method(rows)
    own = rows[rows["method"] == method]
    labels = _labels(results, place, own)
    n = int(own["n_repeats"].max())
    yield Figure(
        f"contributions-{place.name}",
        "Contributions",
        f"{place.title}: reduction of the loss by each facet, {_described(method)}; {n} repeats. A bar whose "
        f"interval includes 0 may be no contribution; a negative one raises the loss.{_explained(labels)}",
        grouped_bars(own, labels, "reduction of the loss"),
        ["contributions"],
    )
    every, controls = _labels(results, place, rows), results.controls(place)
    yield Table(
        f"contributions-{place.name}-table",
        f"{place.title}: Shapley values of all methods that have every subset of the facets."
        f"{_explained(every)}",
        ["objective", "method", "facet", "reduction of the loss", "95 % interval", "share", "repeats"],
        [
            [
                text(every[row["objective"]]),
                text("chosen on validation rows" if row["method"] == CHOSEN else row["method"]),
                text(facets_text(row["facet"], controls.get((row["method"], row["facet"]), ()))),
                number(row["value"], "+.3f"),
                interval(row["low"], row["high"], "+.3f"),
                number(row["share"], ".0%"),
                count(row["n_repeats"]),
            ]
            for _, row in rows.iterrows()
        ],
        ["contributions"],
    )


def _interactions(results: Results, place: Place, rows: pd.DataFrame) -> Iterator[Part]:
    if rows.empty:
        return
    method = shown_method(rows)
    own = rows[rows["method"] == method]
    own = own.assign(pair=own["facet"] + " + " + own["other"])
    labels = _labels(results, place, own)
    values = _wide(own, "value", labels).astype(float)
    kinds = _wide(own, "kind", labels)
    texts, hover = values.astype(object), values.astype(object)
    for i in range(len(values)):
        for j in range(values.shape[1]):
            value, kind = float(values.to_numpy()[i, j]), str(kinds.iat[i, j])
            texts.iat[i, j] = "" if pd.isna(value) else f"{value:+.3f}" + ("" if kind == UNDECIDED else "*")
            hover.iat[i, j] = f"{values.index[i]}\n{values.columns[j]}: {value:+.4f}\n{kind}"
    largest = float(values.abs().max().max()) or 1.0
    yield Figure(
        f"interactions-{place.name}",
        "Interactions of pairs",
        f"{place.title}: Shapley interaction index, {_described(method)}; {int(own['n_repeats'].max())} "
        "repeats. Negative: two facets say the same (redundant); positive: they help each other "
        f"(synergistic). * the 95 % interval excludes 0.{_explained(labels)}",
        heatmap(values, (-largest, largest), "interaction", FULL, texts=texts, hover=hover, scale=DIVERGING),
        ["interactions"],
    )
    every = _labels(results, place, rows)
    yield Table(
        f"interactions-{place.name}-table",
        f"{place.title}: interactions of all methods that have every subset of the facets."
        f"{_explained(every)}",
        ["objective", "method", "pair", "interaction", "95 % interval", "kind", "repeats"],
        [
            [
                text(every[row["objective"]]),
                text("chosen on validation rows" if row["method"] == CHOSEN else row["method"]),
                text(f"{row['facet']} + {row['other']}"),
                number(row["value"], "+.3f"),
                interval(row["low"], row["high"], "+.3f"),
                text(row["kind"]),
                count(row["n_repeats"]),
            ]
            for _, row in rows.iterrows()
        ],
        ["interactions"],
    )


def _labels(results: Results, place: Place, rows: pd.DataFrame) -> dict[str, str]:
    """Return the objectives of rows and their labels, with a dagger if some facets reveal the objective."""
    revealed = {objective for _, _, objective in results.flagged(place)}
    present = set(rows["objective"])
    return {
        name: label + DAGGER * (name in revealed)
        for name, label in results.labels(place.source).items()
        if name in present
    }


def _explained(labels: Mapping[str, str]) -> str:
    if not any(label.endswith(DAGGER) for label in labels.values()):
        return ""
    return " † Some facets reveal the objective: what they contribute is the answer, not a prediction."


def _wide(rows: pd.DataFrame, value: str, labels: dict[str, str]) -> pd.DataFrame:
    table = rows.set_index(["pair", "objective"])[value].unstack("objective").reindex(columns=list(labels))
    return table.loc[list(dict.fromkeys(rows["pair"]))].set_axis(list(labels.values()), axis="columns")
