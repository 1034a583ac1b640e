"""What each method costs: time and memory."""

from collections.abc import Iterator

from polyfacet.reporting.page.parts import Figure, Part, Section, Table, count, number, text
from polyfacet.reporting.page.results import Place, Results
from polyfacet.reporting.plots.dots import horizontal_bars

LEAD = "Time and memory of the cells, as measured when they were trained; kept cells were trained earlier."


def costs(results: Results) -> Section:
    """Show the cost of each method."""
    parts: list[Part] = []
    for place in results.places:
        parts += _place(results, place)
    return Section("costs", "Costs", LEAD, parts)


def _place(results: Results, place: Place) -> Iterator[Part]:
    cells = place.of(results.cells)
    groups = cells.groupby("method", sort=False)
    total = groups["wall_time_s"].sum()
    names = [results.method(place, str(name)) for name in total.index]
    yield Figure(
        f"costs-{place.name}",
        "Time per method",
        f"{place.title}: sum of the wall times of all {len(cells)} cells, by method. Methods with fewer "
        "repeats have fewer cells.",
        horizontal_bars(names, [seconds / 60 for seconds in total], "time (min)"),
        ["cells"],
    )
    yield Table(
        f"costs-{place.name}-table",
        f"{place.title}: costs of the methods. Controls are cells that see a facet through an untrained "
        "encoder.",
        [
            "method",
            "engine",
            "cells",
            "failed",
            "controls",
            "repeats",
            "total time",
            "time per cell (median)",
            "peak memory",
        ],
        [
            [
                text(method),
                text(own["engine"].iloc[0]),
                count(len(own)),
                count((own["status"] == "failed").sum()),
                count((own["untrained"].map(len) > 0).sum()),
                count(own["n_repeats"].max()),
                number(own["wall_time_s"].sum(), ",.1f", " s"),
                number(own["wall_time_s"].median(), ",.2f", " s"),
                number(own["peak_memory_mib"].max(), ",.0f", " MiB"),
            ]
            for method, own in groups
        ],
        ["cells"],
    )
