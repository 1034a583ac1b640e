"""Retrieval: materials found by another of their facets, beside chance and simple methods."""

from collections.abc import Iterator, Sequence

import pandas as pd

from polyfacet.evaluation.retrieval.schema import MEDIAN_RANK, RECALLS, RECIPROCAL_RANK
from polyfacet.reporting.naming import repeats_text
from polyfacet.reporting.page.parts import Heading, Part, Section, Table, Value, number, text

LEAD = (
    "Description: each test material is asked for by one of its facets and searched among others by another "
    "facet. Representations come from contrastive pretraining; beside them are untrained ones and simple "
    "methods."
)
GALLERIES = {
    "all": "all test materials",
    "fixed": "250 test materials",
    "elements": "test materials of the same elements",
    "formula": "test materials of the same formula",
}
ANSWERS = {"material": "the material itself", "formula": "any material of its formula"}
SHOWN = (*(f"recall@{k}" for k in RECALLS if k != 25), RECIPROCAL_RANK, MEDIAN_RANK)
MAIN = "recall@10"
DIRECTION = ["query", "item"]


def retrieval(searched: Sequence[pd.DataFrame]) -> list[Section]:
    """Return the section, or nothing if no foundation represents facets.

    Parameters
    ----------
    searched
        Tables of `polyfacet.evaluation.retrieval.schema.RETRIEVAL`, one per foundation.
    """
    known = [table for table in searched if len(table)]
    if not known:
        return []
    parts: list[Part] = []
    together = pd.concat(known, ignore_index=True)
    # Simple methods are in the table of each foundation; they are the same.
    keys = ["source", "split", "repeat", "method", *DIRECTION, "gallery", "relevance", "metric"]
    together = together.drop_duplicates(keys)
    for (source, split), own in together.groupby(["source", "split"], sort=False):
        parts.append(Heading(f"{source}, split {split} ({repeats_text(own['repeat'].nunique())})"))
        parts += _tables(f"retrieval-{source}-{split}", own)
    return [Section("retrieval", "Retrieval between facets", LEAD, parts)]


def _tables(name: str, own: pd.DataFrame) -> Iterator[Table]:
    """Yield a table for each gallery and each kind of answer, as means over the repeats."""
    for (gallery, relevance), searched in own.groupby(["gallery", "relevance"], sort=False):
        means = searched.groupby([*DIRECTION, "method", "metric"], sort=False)[
            ["value", "chance", "possible", "n_queries", "n_items"]
        ].mean()
        values = means["value"].unstack("metric")
        beside = means.xs(MAIN, level="metric")
        rows: list[list[Value]] = [
            [
                *map(text, key),
                *(number(values.loc[key, metric], ".3g") for metric in SHOWN),
                number(beside.loc[key, "chance"], ".3g"),
                number(beside.loc[key, "possible"], ".3g"),
            ]
            for key in values.index
        ]
        caption = (
            f"Searched: {GALLERIES[str(gallery)]} ({beside['n_items'].mean():.0f} on average), by "
            f"{beside['n_queries'].mean():.0f} queries; an answer is {ANSWERS[str(relevance)]}. Chance and "
            f"what is possible are of {MAIN}."
        )
        head = ["asked with", "searched", "method", *SHOWN, "chance", "possible"]
        yield Table(f"{name}-{gallery}-{relevance}", caption, head, rows)
