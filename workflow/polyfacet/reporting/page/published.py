"""Published scores beside ours."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from polyfacet.evaluation.tables import COUNTS
from polyfacet.reporting.grids import METRIC_LABELS
from polyfacet.reporting.page.parts import Heading, Part, Table, Value, span, text
from polyfacet.reporting.page.results import NONTRIVIAL, Results
from polyfacet.reporting.published import (
    MAX_SPREAD,
    REPRODUCED_WITHIN,
    Reproduction,
    range_text,
    reproductions,
)
from polyfacet.reporting.sections import sections

CAPTION = (
    "Published scores beside ours. A score counts as reproduced only if both are declared to have the same "
    f"settings and it is within {REPRODUCED_WITHIN:g} standard deviations of ours, which must not exceed "
    f"{MAX_SPREAD:g}. Test rows are ours. {NONTRIVIAL}"
)


def published_scores(results: Results, published: Sequence[Mapping[str, Any]]) -> list[Part]:
    """Compare published scores with ours; empty without published scores.

    Parameters
    ----------
    results
        The evaluation.
    published
        Published scores, entries of ``report.published`` of a configuration.
    """
    if not published or results["summary"].empty:
        return []
    methods = dict(zip(results.cells["split"], results.cells["split_method"], strict=True))
    summary = results["summary"]
    found = [
        each
        for section in sections(results.cells, summary)
        for each in reproductions(section, summary, published, methods)
    ]
    rows = [
        [
            text(each.section.title),
            text(each.row),
            text(each.split),
            text(METRIC_LABELS[each.metric]),
            Value(range_text(each.published), float(np.min(each.published))),
            Value(each.mean_text, float(each.mean)),
            *_test_rows(results, each),
            text(each.verdict),
            text(each.published_in),
        ]
        for each in found
    ]
    head = ["objective", "method", "split", "score", "published", "ours", "test rows", "non-trivial"]
    return [
        Heading("Published scores"),
        Table("published", CAPTION, [*head, "verdict", "published in"], rows, ["summary", "scores"]),
    ]


def _test_rows(results: Results, found: Reproduction) -> list[Value]:
    """Return the numbers of test rows and of non-trivial values of our score, over its repeats."""
    where = (found.section.source, found.split)
    place = next(each for each in results.places if (each.source, each.split) == where)
    own = results.test_rows_of(place, found.section.objective, found.method, found.combination)
    return [span(list(own[name])) for name in COUNTS]
