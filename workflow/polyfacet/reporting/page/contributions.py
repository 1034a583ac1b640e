"""What each facet contributes, and which pairs are redundant or synergistic."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from polyfacet.evaluation.contributions import CHOSEN, UNDECIDED
from polyfacet.facets.registry import SEPARATOR
from polyfacet.reporting.contribution_notes import contribution_notes
from polyfacet.reporting.naming import (
    CONTROL,
    DAGGER,
    DOUBLE_DAGGER,
    PRETRAINED_LEGEND,
    pretrained_mark,
    repeats_text,
)
from polyfacet.reporting.numbers import number_range
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
from polyfacet.reporting.page.results import Place, Results
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


def _described(results: Results, place: Place, rows: pd.DataFrame) -> str:
    """Describe the one method of these rows, and its number of repeats."""
    method = rows["method"].iloc[0]
    if method == CHOSEN:
        which = "for each subset of facets the method that is best on validation rows"
    else:
        which = f"the method {results.method(place, method)}"
    return f"{which}; {repeats_text(number_range(rows['n_repeats']))}"


def _method(results: Results, place: Place, method: str) -> str:
    return CHOSEN if method == CHOSEN else results.method(place, method)


def _repeats(numbers: pd.Series) -> str:
    """Warn that methods with different numbers of repeats have different test rows."""
    if numbers.nunique() < 2:
        return ""
    return " Values over different numbers of repeats are on different test rows and do not compare methods."


def _pair(results: Results, place: Place, row: Mapping[Any, Any]) -> str:
    return results.facets(place, row["method"], f"{row['facet']}{SEPARATOR}{row['other']}")


def _controls(names: pd.Series) -> str:
    """Explain facets that are marked as controls, if there are any."""
    if not names.str.contains(f"({CONTROL})", regex=False).any():
        return ""
    return f" A facet whose encoder is untrained is called {CONTROL}."


def _contributions(results: Results, place: Place, rows: pd.DataFrame) -> Iterator[Part]:
    method = shown_method(rows)
    own = rows[rows["method"] == method]
    labels = _labels(results, place, own)
    games = _games(own, labels)
    own = own.assign(facet=[results.facets(place, method, name) for name in own["facet"]])
    yield Figure(
        f"contributions-{place.name}",
        "Contributions",
        f"{place.title}: reduction of the loss by each facet, {_described(results, place, own)}. A bar whose "
        "interval includes 0 may be no contribution; a negative one raises the loss."
        f"{games}{contribution_notes(own)}{_explained(labels)}{_controls(own['facet'])}",
        grouped_bars(own, labels, "reduction of the loss"),
        ["contributions"],
    )
    every = _labels(results, place, rows)
    yield Table(
        f"contributions-{place.name}-table",
        f"{place.title}: Shapley values of all methods that have every subset of the facets."
        f"{contribution_notes(rows)}{_explained(every)}{_repeats(rows['n_repeats'])}",
        ["objective", "method", "facet", "reduction of the loss", "95 % interval", "share", "repeats"],
        [
            [
                text(every[row["objective"]]),
                text(_method(results, place, row["method"])),
                text(results.facets(place, row["method"], row["facet"])),
                number(row["value"], "+.3f"),
                interval(row["low"], row["high"], "+.3f"),
                number(row["share"], ".0%"),
                count(row["n_repeats"]),
            ]
            for row in rows.to_dict("records")
        ],
        ["contributions"],
    )


def _interactions(results: Results, place: Place, rows: pd.DataFrame) -> Iterator[Part]:
    if rows.empty:
        return
    method = shown_method(rows)
    own = rows[rows["method"] == method]
    labels = _labels(results, place, own)
    games = _games(own, labels)
    own = own.assign(pair=[_pair(results, place, row) for row in own.to_dict("records")])
    values = _wide(own, "value", labels).astype(float)
    kinds = _wide(own, "kind", labels)
    texts, hover = values.astype(object), values.astype(object)
    for i in range(len(values)):
        for j in range(values.shape[1]):
            value, kind = float(values.to_numpy()[i, j]), str(kinds.iat[i, j])
            texts.iat[i, j] = "" if pd.isna(value) else f"{value:+.3f}" + ("" if kind == UNDECIDED else "*")
            said = "not defined" if pd.isna(value) else f"{value:+.4f}\n{kind}"
            hover.iat[i, j] = f"{values.index[i]}\n{values.columns[j]}: {said}"
    largest = float(values.abs().max().max()) or 1.0
    yield Figure(
        f"interactions-{place.name}",
        "Interactions of pairs",
        f"{place.title}: Shapley interaction index, {_described(results, place, own)}. "
        "Together, two facets reduce the loss by less (negative: redundant) or more (positive: synergistic) "
        "than the sum of what each reduces; facets with independent information may be either. "
        f"* the 95 % interval excludes 0.{games}{contribution_notes(own)}{_explained(labels)}"
        f"{_controls(own['pair'])}",
        heatmap(values, (-largest, largest), "interaction", FULL, texts=texts, hover=hover, scale=DIVERGING),
        ["interactions"],
    )
    every = _labels(results, place, rows)
    yield Table(
        f"interactions-{place.name}-table",
        f"{place.title}: interactions of all methods that have every subset of the facets."
        f"{_explained(every)}{_repeats(rows['n_repeats'])}",
        ["objective", "method", "pair", "interaction", "95 % interval", "kind", "repeats"],
        [
            [
                text(every[row["objective"]]),
                text(_method(results, place, row["method"])),
                text(_pair(results, place, row)),
                number(row["value"], "+.3f"),
                interval(row["low"], row["high"], "+.3f"),
                text(row["kind"]),
                count(row["n_repeats"]),
            ]
            for row in rows.to_dict("records")
        ],
        ["interactions"],
    )


def _labels(results: Results, place: Place, rows: pd.DataFrame) -> dict[str, str]:
    """Return the objectives of rows and their labels, with daggers if facets reveal or know the objective."""
    revealed = {objective for _, _, objective in results.flagged(place)}
    names = [name for name in ("facet", "other") if name in rows.columns]
    facets = {objective: own[names].to_numpy().ravel() for objective, own in rows.groupby("objective")}
    return {
        name: label
        + DAGGER * (name in revealed)
        + max(pretrained_mark(facet, name) for facet in facets[name])
        for name, label in results.labels(place.source).items()
        if name in facets
    }


def _explained(labels: Mapping[str, str]) -> str:
    said = ""
    if any(DAGGER in label for label in labels.values()):
        said += " † Some facets reveal the objective: what they contribute is the answer, not a prediction."
    if any(DOUBLE_DAGGER in label for label in labels.values()):
        said += f" {PRETRAINED_LEGEND}"
    return said


def _games(rows: pd.DataFrame, labels: Mapping[str, str]) -> str:
    """Say over which facets the values of each objective are, if they differ."""
    names = [name for name in ("facet", "other") if name in rows.columns]
    facets = {
        label: " + ".join(dict.fromkeys(rows.loc[rows["objective"] == objective, names].to_numpy().ravel()))
        for objective, label in labels.items()
    }
    if len(set(facets.values())) < 2:
        return ""
    said = "; ".join(f"{label}: {of}" for label, of in facets.items())
    return (
        " Not every objective has cells of all facets, and values over different facets do not compare. They "
        f"are over {said}."
    )


def _wide(rows: pd.DataFrame, value: str, labels: dict[str, str]) -> pd.DataFrame:
    table = rows.set_index(["pair", "objective"])[value].unstack("objective").reindex(columns=list(labels))
    return table.loc[list(dict.fromkeys(rows["pair"]))].set_axis(list(labels.values()), axis="columns")
