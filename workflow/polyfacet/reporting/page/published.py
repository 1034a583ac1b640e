"""Published scores beside ours."""

from collections.abc import Mapping, Sequence
from typing import Any

from polyfacet.reporting.grids import METRIC_LABELS
from polyfacet.reporting.numbers import mean_text
from polyfacet.reporting.page.parts import Heading, Part, Table, Value, text
from polyfacet.reporting.page.results import Results
from polyfacet.reporting.published import MAX_SPREAD, REPRODUCED_WITHIN, range_text, reproductions
from polyfacet.reporting.sections import sections

CAPTION = (
    "Published scores beside ours. A score counts as reproduced only if both are declared to have the same "
    f"settings and it is within {REPRODUCED_WITHIN:g} standard deviations of ours, which must not exceed "
    f"{MAX_SPREAD:g}."
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
            Value(range_text(each.published), range_text(each.published)),
            Value(mean_text(each.mean, each.std), float(each.mean)),
            text(each.verdict),
            text(each.published_in),
        ]
        for each in found
    ]
    head = ["objective", "method", "split", "score", "published", "ours", "verdict", "published in"]
    return [Heading("Published scores"), Table("published", CAPTION, head, rows, ["summary"])]
