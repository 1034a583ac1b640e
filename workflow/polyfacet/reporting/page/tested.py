"""The tested comparisons: a forest plot and all numbers."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from polyfacet.evaluation.tables import COUNTS
from polyfacet.evaluation.verdicts import COMPARISONS
from polyfacet.reporting.numbers import number_range
from polyfacet.reporting.page.parts import (
    Figure,
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
from polyfacet.reporting.page.summary import (
    NOT_TESTED,
    ROLE_NAMES,
    choice_text,
    explained_marks,
    joined_marks,
    p_text,
)
from polyfacet.reporting.plots.intervals import forest

LEAD = (
    "The only tests on this page: paired differences of the loss over repeats, corrected resampled t-test "
    "(Nadeau and Bengio 2003), Holm's correction over the objectives, and a test of equivalence within 2 % "
    "of the rival's loss."
)
TITLES = {
    name: " vs ".join(ROLE_NAMES[role].removeprefix("the ") for role in roles)
    for name, roles in COMPARISONS.items()
}


def tested_comparisons(results: Results) -> Section:
    """Show the tested comparisons."""
    parts: list[Part] = []
    for place in results.places:
        parts += _place(results, place)
    nothing = "Nothing was tested: no objective has both sides of a comparison."
    return Section("tests", "Tested comparisons", LEAD, parts or [Paragraph(nothing)])


def _place(results: Results, place: Place) -> list[Part]:
    tests = place.of(results["tests"])
    if tests.empty:
        return []
    labels = {
        name: label for name, label in results.labels(place.source).items() if name in set(tests["objective"])
    }
    tested = tests[tests["p_holm"].notna()]
    parts: list[Part] = []
    if len(tested):
        parts.append(
            Figure(
                f"tests-{place.name}",
                "Differences of the loss",
                f"{place.title}: mean difference over {number_range(tested['n_repeats'])} repeats and its "
                "95 % interval; left of 0 the first of each pair has the smaller loss. Grey bands: "
                "differences that do not matter in practice. Without a point: not tested.",
                forest(tests, labels, TITLES),
                ["tests"],
            )
        )
    for comparison in COMPARISONS:
        if len(own := tests[tests["comparison"] == comparison]):
            parts += _tables(results, place, comparison, own, labels)
    return parts


def _tables(
    results: Results, place: Place, comparison: str, tests: pd.DataFrame, labels: Mapping[str, str]
) -> Iterator[Table]:
    """Show what was tested, and which cells were compared: one table would be too wide for both."""
    roles = COMPARISONS[comparison]
    title = f"{place.title}: {ROLE_NAMES[roles[0]]} against {ROLE_NAMES[roles[1]]}"
    marks = {
        objective: [results.marks_of_choices(place, objective, role) for role in roles]
        for objective in tests["objective"]
    }
    labelled = {objective: labels[objective] + joined_marks(*own) for objective, own in marks.items()}
    explained = explained_marks(*(mark for own in marks.values() for mark in own))
    rows = [{str(name): value for name, value in row.items()} for row in tests.to_dict("records")]
    name = f"{place.name}-{comparison.replace(' ', '-')}"
    head = ["objective", "verdict", "loss", "rival's", "difference", "95 % interval", "p", "p equal"]
    yield Table(
        f"tests-{name}",
        f"{title}. p of a difference and p of equivalence after Holm's correction over the objectives with a "
        f"test ({tests['p'].notna().sum()}); the uncorrected values are in the CSV. {NONTRIVIAL}"
        f"{_left_out(rows, labels)}{explained}",
        [*head, "repeats", "test rows", "non-trivial"],
        [
            [
                text(labelled[row["objective"]]),
                *_tested(row, results.tested_rows(place, row["objective"], comparison)),
            ]
            for row in rows
        ],
        ["tests"],
    )
    yield Table(
        f"chosen-{name}",
        f"{title}: what validation rows chose most often, and in how many of the compared repeats."
        f"{explained}",
        ["objective", *(ROLE_NAMES[role] for role in roles)],
        [[text(labelled[row["objective"]]), *_chosen(row, marks[row["objective"]])] for row in rows],
        ["tests", "choices"],
    )


def _left_out(tests: Sequence[Mapping[str, Any]], labels: Mapping[str, str]) -> str:
    """Name the repeats that are not compared, and say why; empty if there are none."""
    said = [f"{labels[test['objective']]}, {test['left_out']}" for test in tests if test["left_out"]]
    return f" Repeats left out: {'; '.join(said)}." if said else ""


def _tested(test: Mapping[str, Any], rows: pd.DataFrame) -> list[Value]:
    return [
        text(f"{NOT_TESTED}: {test['reason']}" if test["reason"] else test["verdict"]),
        number(test["loss"], ".3f"),
        number(test["rival_loss"], ".3f"),
        number(test["difference"], "+.3f"),
        interval(test["low"], test["high"], "+.3f"),
        _p(test["p_holm"]),
        _p(test["p_equal_holm"]),
        count(test["n_repeats"]),
        *(span(list(rows[name])) for name in COUNTS),
    ]


def _chosen(test: Mapping[str, Any], marks: Sequence[str]) -> list[Value]:
    chosen = test["chosen"], test["rival_chosen"]
    return [text(choice_text(each) + mark) for each, mark in zip(chosen, marks, strict=True)]


def _p(value: float) -> Value:
    """Return a cell with a p value."""
    return number(value) if pd.isna(value) else Value(p_text(value).removeprefix("= "), float(value))
