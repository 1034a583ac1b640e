"""Conformal intervals: coverage and width; objectives whose zero has a meaning, such as metals."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

from polyfacet.evaluation.interval_coverage import mean_coverage
from polyfacet.evaluation.interval_level import LEVEL
from polyfacet.reporting.naming import repeats_text
from polyfacet.reporting.page.parts import (
    Figure,
    Heading,
    Paragraph,
    Part,
    Section,
    Table,
    count,
    number,
    text,
)
from polyfacet.reporting.page.results import ANY, Place, Results
from polyfacet.reporting.plots.dots import coverage

LEAD = (
    f"Description: {LEVEL:.0%} conformal intervals, calibrated on validation rows. They should cover "
    f"{LEVEL:.0%} of the test values; how wide they have to be for that is what tells methods apart."
)
KEYS = ["method", "combination", "objective"]


@dataclass(frozen=True)
class Means:
    """What is shown of a table of the evaluation, as means over repeats.

    Attributes
    ----------
    table
        Name of the table.
    title, note
        Of the caption.
    columns
        Column to its heading and format; the first one says which repeats count.
    """

    table: str
    title: str
    note: str
    columns: Mapping[str, tuple[str, str]]


INTERVALS = Means(
    "intervals",
    "coverage and width of the intervals",
    " Width over MAD: in units of the mean absolute deviation of the test values. For classes: sets of "
    "classes, and their mean size.",
    {
        "coverage": ("coverage", ".3f"),
        "width": ("width", ".3g"),
        "width_mad": ("width over MAD", ".2f"),
        "n_calibration": ("calibration rows", ",.0f"),
        "n_test": ("test rows", ",.0f"),
    },
)
ZEROS = Means(
    "zeros",
    "zero against not zero",
    "",
    {
        "auc": ("AUC", ".3f"),
        "f1": ("F1", ".3f"),
        "kappa": ("kappa", ".3f"),
        "mae_nonzero": ("MAE where not zero", ".3g"),
        "n_zero": ("zeros", ".3g"),
        "n_test": ("test rows", ".3g"),
    },
)


def uncertainty(results: Results) -> Section:
    """Show coverage and width of intervals, and metals against insulators."""
    parts: list[Part] = []
    for place in results.places:
        parts += _intervals(results, place, place.of(results["intervals"]))
        parts += _zeros(results, place, place.of(results["zeros"]))
    return Section(
        "intervals", "Intervals, metals and insulators", LEAD, parts or [Paragraph("No intervals were made.")]
    )


def _intervals(results: Results, place: Place, rows: pd.DataFrame) -> Iterator[Part]:
    if rows.empty:
        return
    known = rows[rows["coverage"].notna()]
    if len(known):
        yield Paragraph(_mean_coverages(results, place, rows))
        yield _coverage(results, place, known)
        yield from _tables(results, place, rows, INTERVALS)
    reasons = rows.loc[rows["coverage"].isna() & rows["reason"].notna(), "reason"].value_counts()
    for reason, n in reasons.items():
        yield Paragraph(f"{place.title}: {n} cells have no intervals: {reason}.")


def _coverage(results: Results, place: Place, rows: pd.DataFrame) -> Figure:
    own = rows.groupby(KEYS, sort=False)["coverage"].mean().reset_index()
    labels = {
        name: label for name, label in results.labels(place.source).items() if name in set(own["objective"])
    }
    named = own.assign(
        method=[results.method(place, name) for name in own["method"]],
        combination=[
            results.facets(place, method, combination)
            for method, combination in zip(own["method"], own["combination"], strict=True)
        ],
    )
    return Figure(
        f"coverage-{place.name}",
        "Coverage",
        f"{place.title}: share of the test values inside their intervals, mean over the repeats of each "
        f"method, of {len(own)} methods, facets and objectives. Dashed: {LEVEL:.0%}.",
        coverage(named, labels, LEVEL),
        ["intervals"],
    )


def _tables(results: Results, place: Place, rows: pd.DataFrame, shown: Means) -> Iterator[Table]:
    """Show means over all repeats, and for each smaller number that some methods have, those over it alone.

    Means over different repeats are on different test rows and do not compare methods.
    """
    n_of_row = rows["method"].map(results.repeats_of(place))
    for n in sorted(n_of_row.unique(), reverse=True):
        fewest = rows[n_of_row == n]
        own = rows[(n_of_row >= n) & rows["repeat"].isin(fewest["repeat"])]
        name, over = f"{shown.table}-{place.name}", repeats_text(n)
        if n < place.n_repeats:
            name += f"-{n}-repeats"
            over += f" of {' and '.join(fewest['method'].unique())}, for all methods that have them"
        caption = f"{place.title}: {shown.title}, means over the {over}.{shown.note}"
        yield _table(results, place, own, shown, name, caption)


def _table(
    results: Results, place: Place, rows: pd.DataFrame, shown: Means, name: str, caption: str
) -> Table:
    columns = list(shown.columns)
    groups = rows.groupby(KEYS, sort=False)
    # A value may be missing in some repeats.
    means = groups[columns].mean().assign(repeats=groups[columns[0]].count()).reset_index()
    return Table(
        name,
        caption,
        ["objective", "method", "facets", *(head for head, _ in shown.columns.values()), "repeats"],
        [
            [
                text(results.with_unit(place.source, row["objective"])),
                text(row["method"]),
                text(results.facets(place, row["method"], row["combination"])),
                *(number(row[column], form) for column, (_, form) in shown.columns.items()),
                count(row["repeats"]),
            ]
            for row in means.to_dict("records")
        ],
        [shown.table],
    )


def _mean_coverages(results: Results, place: Place, rows: pd.DataFrame) -> str:
    """State the mean coverage of the chosen cells and of all cells."""
    identity = ["repeat", "objective", "method", "combination"]
    choices = place.of(results["choices"])
    said = []
    if len(choices):
        chosen = rows.merge(choices.loc[choices["role"] == ANY, identity], on=identity)
        said.append(_mean_coverage(results, chosen, "the cells that validation rows chose"))
    said.append(_mean_coverage(results, rows, "all cells"))
    return f"{place.title}: mean coverage over objectives and repeats, of {'; of '.join(filter(None, said))}."


def _mean_coverage(results: Results, rows: pd.DataFrame, name: str) -> str:
    found = mean_coverage(rows, results.cells)
    if found.empty:
        return ""
    mean = found.iloc[0]
    if pd.isna(mean["low"]):
        return f"{name}: {mean['mean']:.3f}"
    # A share is between 0 and 1, the interval of its mean need not be.
    low, high = max(mean["low"], 0), min(mean["high"], 1)
    return f"{name}: {mean['mean']:.3f} (95\u00a0% interval {low:.3f} to {high:.3f})"


def _zeros(results: Results, place: Place, rows: pd.DataFrame) -> Iterator[Part]:
    if rows.empty:
        return
    yield Heading(f"{place.title}: zero or not")
    yield Paragraph(
        "Objectives whose zero has a meaning, such as the band gap of a metal, are also scored as a "
        "decision between zero and not, and by the error where the true value is not zero."
    )
    yield from _tables(results, place, rows, ZEROS)
