"""True against predicted values of the cells that validation rows chose."""

from collections import Counter
from collections.abc import Iterator

import pandas as pd

from polyfacet.reporting.naming import pretrained_mark
from polyfacet.reporting.page.parts import Figure, Gallery, Paragraph, Part, Section
from polyfacet.reporting.page.results import ANY, BASELINE, Place, Results
from polyfacet.reporting.plots.heatmaps import heatmap
from polyfacet.reporting.plots.parity import MAX_POINTS, confusion, parity
from polyfacet.reporting.plots.style import HALF

LEAD = (
    "Description: test rows of all repeats, predicted by the cell that was best on the validation rows of "
    "each repeat, whatever its facets, and by the best baseline."
)
NAMES = {BASELINE: "Best baseline", ANY: "Best cell"}


def parity_plots(results: Results) -> Section:
    """Draw the predictions of the chosen cells."""
    parts: list[Part] = []
    for place in results.places:
        if figures := list(_figures(results, place)):
            parts.append(Gallery(figures))
    return Section(
        "parity",
        "Predictions",
        LEAD,
        parts or [Paragraph("No cell was chosen: none predicted every repeat.")],
    )


def _figures(results: Results, place: Place) -> Iterator[Figure]:
    rows = place.of(results.chosen_predictions)
    if rows.empty:
        return
    labels, units = results.labels(place.source), results.units(place.source)
    for objective, label in labels.items():
        own = rows[rows["objective"] == objective]
        if own.empty:
            continue
        series = {role: own[own["role"] == role] for role in NAMES if (own["role"] == role).any()}
        chosen_cells = {role: _cells(results, place, frame) for role, frame in reversed(series.items())}
        said = "; ".join(f"{NAMES[role]}: {cells}" for role, cells in chosen_cells.items())
        n = {role: len(frame) for role, frame in series.items()}
        if classes := results.classes(place.source, objective):
            chosen = series.get(ANY, own)
            yield _confusion(results, place, objective, label, classes, chosen)
            continue
        largest = max(n.values())
        cut = f" {MAX_POINTS} of them are drawn, evenly spaced in rank." if largest > MAX_POINTS else ""
        yield Figure(
            f"parity-{place.name}-{objective}",
            label,
            f"{place.title}: {largest:,} predictions for test rows over the repeats.{cut} {said}.",
            parity({NAMES[role]: frame for role, frame in series.items()}, units[objective]),
            ["chosen_predictions", "choices"],
        )


def _cells(results: Results, place: Place, rows: pd.DataFrame) -> str:
    """Name the chosen cells, with the number of repeats of each."""
    once = rows.drop_duplicates("repeat")
    counts = Counter(zip(once["method"], once["combination"], strict=True)).most_common()
    objective = str(rows["objective"].iat[0])
    names = [
        f"{results.name(place, method, combination)}{pretrained_mark(combination, objective)} ({n})"
        for (method, combination), n in counts
    ]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} others" if len(names) > 3 else "")


def _confusion(
    results: Results, place: Place, objective: str, label: str, classes: list[str], rows: pd.DataFrame
) -> Figure:
    counts = confusion(rows, classes)
    shares = counts.div(counts.sum(axis="columns").replace(0, 1), axis="index")
    return Figure(
        f"confusion-{place.name}-{objective}",
        label,
        f"{place.title}: {len(rows):,} predictions for test rows over the repeats; rows are true classes, "
        f"columns predicted ones, colours shares of the true class. {NAMES[ANY]}: "
        f"{_cells(results, place, rows)}.",
        heatmap(shares.astype(float), (0, 1), "share", HALF, texts=counts.astype(str)),
        ["chosen_predictions"],
    )
