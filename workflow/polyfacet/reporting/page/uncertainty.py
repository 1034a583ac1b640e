"""Conformal intervals: coverage and width; objectives whose zero has a meaning, such as metals."""

from collections.abc import Iterator

import pandas as pd

from polyfacet.evaluation.conformal import LEVEL
from polyfacet.evaluation.interval_coverage import mean_coverage
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
from polyfacet.reporting.page.results import ANY, Place, Results, facets_text
from polyfacet.reporting.plots.dots import coverage

LEAD = (
    f"Description: {LEVEL:.0%} conformal intervals, calibrated on validation rows. They should cover "
    f"{LEVEL:.0%} of the test values; how wide they have to be for that is what tells methods apart."
)
KEYS = ["method", "combination", "objective"]


def uncertainty(results: Results) -> Section:
    """Show coverage and width of intervals, and metals against insulators."""
    parts: list[Part] = []
    for place in results.places:
        parts += _intervals(results, place, place.of(results["intervals"]))
        parts += _zeros(results, place, place.of(results["zeros"]))
    return Section(
        "intervals", "Intervals, metals and insulators", LEAD, parts or [Paragraph("No intervals were made.")]
    )


def _means(rows: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    found = rows.groupby(KEYS, sort=False)[columns].mean()
    return found.assign(repeats=rows.groupby(KEYS, sort=False)[columns[0]].count()).reset_index()


def _intervals(results: Results, place: Place, rows: pd.DataFrame) -> Iterator[Part]:
    if rows.empty:
        return
    own = _means(rows, ["coverage", "width", "width_mad", "n_calibration", "n_test"])
    known = own[own["coverage"].notna()]
    labels = results.labels(place.source)
    if len(known):
        yield Paragraph(_mean_coverages(results, place, rows))
        drawn = {name: label for name, label in labels.items() if name in set(known["objective"])}
        yield Figure(
            f"coverage-{place.name}",
            "Coverage",
            f"{place.title}: share of the test values inside their intervals, mean over repeats, of "
            f"{len(known)} methods, facets and objectives; mean over all {known['coverage'].mean():.3f}. "
            f"Dashed: {LEVEL:.0%}.",
            coverage(known, drawn, LEVEL),
            ["intervals"],
        )
        yield Table(
            f"intervals-{place.name}",
            f"{place.title}: coverage and width of the intervals, means over repeats. Width over MAD: in "
            "units of the mean absolute deviation of the test values. For classes: sets of classes, and "
            "their mean size.",
            [
                "objective",
                "method",
                "facets",
                "coverage",
                "width",
                "width over MAD",
                "calibration rows",
                "test rows",
                "repeats",
            ],
            [
                [
                    text(results.with_unit(place.source, row["objective"])),
                    text(row["method"]),
                    text(facets_text(row["combination"])),
                    number(row["coverage"], ".3f"),
                    number(row["width"], ".3g"),
                    number(row["width_mad"], ".2f"),
                    count(row["n_calibration"]),
                    count(row["n_test"]),
                    count(row["repeats"]),
                ]
                for _, row in own.iterrows()
            ],
            ["intervals"],
        )
    reasons = rows.loc[rows["coverage"].isna() & rows["reason"].notna(), "reason"].value_counts()
    for reason, n in reasons.items():
        yield Paragraph(f"{place.title}: {n} cells have no intervals: {reason}.")


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
    own = _means(rows, ["auc", "f1", "kappa", "mae_nonzero", "n_test", "n_zero"])
    yield Heading(f"{place.title}: zero or not")
    yield Paragraph(
        "Objectives whose zero has a meaning, such as the band gap of a metal, are also scored as a "
        "decision between zero and not, and by the error where the true value is not zero."
    )
    yield Table(
        f"zeros-{place.name}",
        f"{place.title}: zero against not zero, means over repeats.",
        [
            "objective",
            "method",
            "facets",
            "AUC",
            "F1",
            "kappa",
            "MAE where not zero",
            "zeros",
            "test rows",
            "repeats",
        ],
        [
            [
                text(results.with_unit(place.source, row["objective"])),
                text(row["method"]),
                text(facets_text(row["combination"])),
                number(row["auc"], ".3f"),
                number(row["f1"], ".3f"),
                number(row["kappa"], ".3f"),
                number(row["mae_nonzero"], ".3g"),
                number(row["n_zero"], ".3g"),
                number(row["n_test"], ".3g"),
                count(row["repeats"]),
            ]
            for _, row in own.iterrows()
        ],
        ["zeros"],
    )
