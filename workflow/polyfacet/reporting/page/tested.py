"""The tested comparisons: a forest plot and all numbers."""

from collections.abc import Mapping

import pandas as pd

from polyfacet.evaluation.verdicts import COMPARISONS
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
from polyfacet.reporting.page.results import DAGGER, NONTRIVIAL, Place, Results
from polyfacet.reporting.page.summary import NOT_TESTED, ROLE_NAMES, SEES_ANSWER, choice_text, p_text
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
    n = int(tests["n_repeats"].max())
    parts: list[Part] = []
    if tests["p_holm"].notna().any():
        parts.append(
            Figure(
                f"tests-{place.name}",
                "Differences of the loss",
                f"{place.title}: mean difference over {n} {'repeat' if n == 1 else 'repeats'} and its 95 % "
                "interval; left of 0 the first of each pair has the smaller loss. Grey bands: differences "
                "that do not matter in practice. Without a point: not tested.",
                forest(tests, labels, TITLES),
                ["tests"],
            )
        )
    for comparison in COMPARISONS:
        if len(own := tests[tests["comparison"] == comparison]):
            parts.append(_table(results, place, comparison, own, labels))
    return parts


def _table(
    results: Results, place: Place, comparison: str, tests: pd.DataFrame, labels: Mapping[str, str]
) -> Table:
    roles = COMPARISONS[comparison]
    first, rival = (ROLE_NAMES[role] for role in roles)
    counts = {name: results.test_rows(place, name) for name in tests["objective"]}
    marks = [
        [DAGGER * results.sees_answer(place, name, role) for role in roles] for name in tests["objective"]
    ]
    explained = f" {SEES_ANSWER}" if any(map(any, marks)) else ""
    head = ["objective", "verdict", "loss", "rival's", "difference", "95 % interval", "p", "p equal"]
    return Table(
        f"tests-{place.name}-{comparison.replace(' ', '-')}",
        f"{place.title}: {first} against {rival}. p of a difference and p of equivalence after Holm's "
        f"correction over the objectives with a test ({tests['p'].notna().sum()}); the uncorrected values "
        f"are in the CSV. {NONTRIVIAL}{explained}",
        [*head, "repeats", "test rows", "non-trivial", "chosen most often", "rival"],
        [
            [
                text(labels[row["objective"]]),
                text(f"{NOT_TESTED}: {row['reason']}" if row["reason"] else row["verdict"]),
                number(row["loss"], ".3f"),
                number(row["rival_loss"], ".3f"),
                number(row["difference"], "+.3f"),
                interval(row["low"], row["high"], "+.3f"),
                _p(row["p_holm"]),
                _p(row["p_equal_holm"]),
                count(row["n_repeats"]),
                span(list(counts[row["objective"]]["n_test"])),
                span(list(counts[row["objective"]]["n_nontrivial"])),
                text(choice_text(row["chosen"]) + mark),
                text(choice_text(row["rival_chosen"]) + rival_mark),
            ]
            for (_, row), (mark, rival_mark) in zip(tests.iterrows(), marks, strict=True)
        ],
        ["tests", "choices"],
    )


def _p(value: float) -> Value:
    """Return a cell with a p value."""
    return number(value) if pd.isna(value) else Value(p_text(value).removeprefix("= "), float(value))
