"""Leakage: what facets know beforehand, what crosses the parts of a split, scores below their floor."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from polyfacet.evaluation.tables import COUNTS
from polyfacet.materials.crystal_objectives import PREDEFINED
from polyfacet.reporting.naming import facets_text, pretrained_mark, pretrained_networks
from polyfacet.reporting.page.parts import (
    Heading,
    Items,
    Paragraph,
    Part,
    Section,
    Table,
    count,
    interval,
    number,
    span,
    text,
)
from polyfacet.reporting.page.results import NONTRIVIAL, Place, Results

LEAD = (
    "What could make a score too good: facets that reveal the objective, encoders that have seen it, and "
    "materials or formulas on both sides of a split."
)


def leakage(results: Results) -> Section:
    """Show the leakage audit."""
    parts: list[Part] = []
    audit = results["audit"]
    if len(audit):
        parts.append(_audit(results, audit))
    parts += _flagged(results)
    parts += _pretrained(results)
    for place in results.places:
        if len(own := place.of(results["audit_parts"])):
            parts.append(_parts(place, own))
        if len(own := place.of(results["floors"])):
            parts += _floors(results, place, own)
    return Section("leakage", "Leakage audit and floors", LEAD, parts or [Paragraph("Nothing was audited.")])


def _audit(results: Results, audit: pd.DataFrame) -> Table:
    rows = [
        [
            text(row["source"]),
            text(results.labels(row["source"]).get(row["objective"], row["objective"])),
            text(row["facet"]),
            text("yes" if row["follows"] else "no"),
            text(row["pretrained"] or "no"),
            text(row["note"]),
        ]
        for _, row in audit.iterrows()
    ]
    return Table(
        "audit",
        "Each objective and facet: whether the objective follows from the facet alone, and whether the "
        "facet's encoder was fitted on data that include the objective.",
        ["source", "objective", "facet", "follows directly", "encoder fitted on it", "note"],
        rows,
        ["audit"],
    )


def _flagged(results: Results) -> Iterator[Part]:
    """Count the cells whose facets together reveal the objective."""
    cells = results.cells[results.cells["contains_answer"]]
    if cells.empty:
        yield Paragraph("No cell looks at facets that together reveal its objective.")
        return
    groups = cells.groupby(["source", "label"], sort=False)["combination"]
    yield Heading("Cells that see the answer (†)")
    yield Items(
        [
            f"{source}, {label}: {', '.join(map(facets_text, combinations.unique()))}"
            for (source, label), combinations in groups
        ]
    )


def _pretrained(results: Results) -> Iterator[Part]:
    """List the cells with a network that was pretrained elsewhere on their objective."""
    cells = results.cells
    yield from _not_judged(cells)
    marks = [pretrained_mark(*pair) for pair in zip(cells["combination"], cells["objective"], strict=True)]
    marked = cells[np.array(marks, dtype=object) != ""]
    if marked.empty:
        return
    groups = marked.groupby(["source", "label"], sort=False)["combination"]
    yield Heading("Cells with a network that was pretrained on the objective elsewhere (‡)")
    yield Paragraph(
        "Whether test materials were among those that it was trained on is not known: the scores may be too "
        "good, and comparisons with other facets flatter these."
    )
    yield Items(
        [
            f"{source}, {label}: {', '.join(map(facets_text, combinations.unique()))}"
            for (source, label), combinations in groups
        ]
    )


def _not_judged(cells: pd.DataFrame) -> Iterator[Part]:
    """Warn of objectives of which nobody has declared whether a network was pretrained on them."""
    has_network = cells["combination"].map(pretrained_networks).map(len) > 0
    named = cells.loc[has_network & ~cells["objective"].isin([each.name for each in PREDEFINED])]
    if named.empty:
        return
    networks = dict.fromkeys(name for each in named["combination"] for name in pretrained_networks(each))
    yield Paragraph(
        f"{', '.join(dict.fromkeys(named['label']))}: whether {', '.join(networks)} was pretrained on it is "
        "not judged, because it is not a predefined objective, and no ‡ marks it. If it is one of the values "
        "that the table above names as pretrained on, or follows from them, the scores may be too good.",
        is_warning=True,
    )


def _parts(place: Place, rows: pd.DataFrame) -> Table:
    return Table(
        f"audit-parts-{place.name}",
        f"{place.title}: test materials that have a twin, or whose formula also occurs, among the materials "
        "that a method may learn from.",
        ["repeat", "train", "validation", "test", "twins across", "formulas across", "formulas in test"],
        [
            [
                count(row[name])
                for name in (
                    "repeat",
                    "n_train",
                    "n_valid",
                    "n_test",
                    "twins_across",
                    "formulas_across",
                    "n_formulas_test",
                )
            ]
            for _, row in rows.iterrows()
        ],
        ["audit_parts"],
    )


def _floors(results: Results, place: Place, rows: pd.DataFrame) -> Iterator[Part]:
    labels = results.labels(place.source)
    found = []
    for objective in labels:
        own = rows[rows["objective"] == objective]
        if len(own):
            found.append(
                [
                    text(results.with_unit(place.source, objective)),
                    span(list(own["n_test"])),
                    span(list(own["n_formulas"])),
                    number(own["floor_mae"].mean(), ".3g"),
                    number(own["floor_mase"].mean(), ".3f"),
                    interval(own["floor_mase"].min(), own["floor_mase"].max()),
                ]
            )
    yield Table(
        f"floors-{place.name}",
        f"{place.title}: the floor of each objective, the error of predicting the median of each formula on "
        "that very test part. No model that looks at the composition alone can fall below it.",
        ["objective", "test rows", "formulas", "floor, MAE", "floor, MASE (mean)", "over repeats"],
        found,
        ["floors"],
    )
    below = place.of(results["below_floor"])
    if below.empty:
        yield Paragraph(f"{place.title}: no cell that looks at the composition alone is below its floor.")
        return
    yield Paragraph(
        f"{place.title}: {len(below)} cells that look at the composition alone are below the floor. That is "
        "impossible without leakage: look for it before you believe any score of these methods.",
        is_warning=True,
    )
    yield Table(
        f"below-floor-{place.name}",
        f"Cells below the floor. {NONTRIVIAL}",
        ["objective", "method", "facets", "repeat", "MASE", "floor", "test rows", "non-trivial"],
        [
            [
                text(labels.get(row["objective"], row["objective"])),
                text(row["method"]),
                text(results.facets(place, row["method"], row["combination"])),
                count(row["repeat"]),
                number(row["mase"], ".3f"),
                number(row["floor_mase"], ".3f"),
                *(count(row[name]) for name in COUNTS),
            ]
            for _, row in below.iterrows()
        ],
        ["below_floor"],
    )
