"""Representations: how well facets of a material agree, and how much of the space they use."""

from collections.abc import Iterator, Sequence

import pandas as pd

from polyfacet.evaluation.representations.tables import OF_FACETS, OF_PAIRS, RANK, UNIFORMITY
from polyfacet.reporting.naming import repeats_text
from polyfacet.reporting.page.parts import Heading, Part, Section, Table, Value, number, text

LEAD = (
    "Description: where contrastive pretraining puts the facets of test materials, beside the same network "
    "untrained. Good alignment is worth little if all materials are in one place."
)
OF_PAIR_CAPTION = (
    "Pairs of facets: mean squared distance of the two representations of a material (0 if they agree), the "
    "same for random pairs of materials, and the distance between the means of the facets."
)
OF_FACET_CAPTION = (
    f"Single facets: {UNIFORMITY} (0 if all materials are the same, lower if they are spread out) and "
    f"{RANK} (directions that are used)."
)


def representations(measured: Sequence[pd.DataFrame]) -> list[Section]:
    """Return the section, or nothing if no foundation represents facets.

    Parameters
    ----------
    measured
        Tables of `polyfacet.evaluation.representations.tables.GEOMETRY`, one per foundation.
    """
    known = [table for table in measured if len(table)]
    if not known:
        return []
    together = pd.concat(known, ignore_index=True)
    together["facets"] = together["facet"].where(
        together["other"].isna(), together["facet"] + " and " + together["other"].fillna("")
    )
    # Untrained networks of equal settings are the same.
    together = together.drop_duplicates(["source", "split", "repeat", "method", "facets", "metric"])
    parts: list[Part] = []
    for (source, split), own in together.groupby(["source", "split"], sort=False):
        parts.append(Heading(f"{source}, split {split} ({repeats_text(own['repeat'].nunique())})"))
        parts += _tables(f"representations-{source}-{split}", own)
    return [Section("representations", "Representations of facets", LEAD, parts)]


def _tables(name: str, own: pd.DataFrame) -> Iterator[Table]:
    """Yield the tables of pairs and of single facets, as means over the repeats."""
    for kind, metrics, caption in (
        ("pairs", OF_PAIRS, OF_PAIR_CAPTION),
        ("facets", OF_FACETS, OF_FACET_CAPTION),
    ):
        means = own[own["metric"].isin(metrics)].groupby(["facets", "method", "metric"], sort=False)
        values = means["value"].mean().unstack("metric")
        rows: list[list[Value]] = [
            [*map(text, key), *(number(values.loc[key, metric], ".3g") for metric in metrics)]
            for key in values.index
        ]
        if rows:
            yield Table(f"{name}-{kind}", caption, ["facets", "method", *metrics], rows)
