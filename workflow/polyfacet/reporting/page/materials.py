"""The materials of a run: objectives, parts, rejects, twins, texts, pictures, and cells that failed."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from PIL import Image

from polyfacet.materials.objective_statistics import STATISTICS
from polyfacet.reporting.objective_tables import as_texts
from polyfacet.reporting.page.errors import png_address
from polyfacet.reporting.page.parts import (
    Heading,
    Items,
    Paragraph,
    Part,
    Picture,
    Section,
    Table,
    Value,
    count,
    text,
)
from polyfacet.reporting.page.records import read_json, source_of, split_of
from polyfacet.reporting.page.results import Results
from polyfacet.runtime.parquet import read_table
from polyfacet.runtime.rejects import REJECTS
from polyfacet.sources.tables.schemas import REJECTED_ROWS

# The complete lists are in the summary of the sample and in the tables of rejects.
MAX_LEFT_OUT = 20
MAX_REJECTED_ROWS = 20
MAX_REASONS = 20
# Widest picture on the page, px.
MAX_WIDTH = 1000
LEAD = "What there was to learn, which materials are in which part, and what was rejected, and why."
NOTE = (
    "MAD: mean absolute deviation from the mean, the error of always predicting the mean. Materials "
    "without a value are left out of the cells of that objective."
)


def statistics_tables(files: Sequence[Path], run: Path) -> Iterator[Part]:
    """Show the statistics of the objectives of each source."""
    yield Heading("Objectives")
    for path in files:
        source = source_of(path, run)
        for number, texts in enumerate(as_texts(read_table(path, STATISTICS))):
            yield Table(
                f"objectives-{source}-{number}",
                f"{source}: values of the objectives over the whole sample. {NOTE}",
                ["objective", *texts.columns],
                [[text(label), *map(_as_value, row)] for label, *row in texts.itertuples()],
            )


def _as_value(shown: str) -> Value:
    """Return a cell that is sorted as a number if it is one."""
    try:
        parsed = float(shown.removesuffix("%"))
    except ValueError:
        return text(shown)
    return Value(shown, parsed)


def failed_cells(results: Results) -> list[Part]:
    """List the cells that failed, and those whose training was cut off, with their reasons."""
    n = len(results.cells)
    failed = results.cells[results.cells["status"] == "failed"]
    parts: list[Part] = [Heading("Failed cells")]
    if failed.empty:
        parts.append(Paragraph("No cell failed."))
    else:
        told = f"{len(failed)} of {n} cells failed."
        parts.append(_with_reasons(results, failed, "reason", "failed-cells", told))
    cut_off = results.cells[results.cells["cut_off"].notna()]
    if len(cut_off):
        told = f"The training of {len(cut_off)} of {n} cells may have been cut off before it converged."
        parts.append(Heading("Cells that may not have converged"))
        parts.append(_with_reasons(results, cut_off, "cut_off", "cells-cut-off", told))
    return parts


def _with_reasons(results: Results, cells: pd.DataFrame, reason: str, name: str, caption: str) -> Table:
    """List cells with the reasons in a column."""
    rows = [
        [
            text(row["source"]),
            text(f"{row['split']} {row['repeat']}"),
            text(row["method"]),
            text(results.facets(place, row["method"], row["combination"])),
            text(row["label"]),
            text(row[reason]),
        ]
        for place in results.places
        for _, row in place.of(cells).iterrows()
    ]
    head = ["source", "split and repeat", "method", "facets", "objective", "reason"]
    return Table(name, caption, head, rows, ["cells"])


def counted(summaries: Sequence[Path], run: Path) -> Iterator[Part]:
    """Describe the entries or rows of each source, and which were left out."""
    for path in summaries:
        facts = read_json(path)
        if "file" in facts:
            yield Paragraph(
                f"{source_of(path, run)}: {facts['file']}: {facts['n_read']} rows, {facts['n_rejected']} "
                f"rejected, {facts['n_compositions']} compositions, {len(facts['features'])} features "
                f"({', '.join(facts['features'])})."
            )
        else:
            yield from _sampling(facts)


def _sampling(facts: Mapping[str, Any]) -> Iterator[Part]:
    yield Paragraph(
        f"Entries: {', '.join(f'{name} {n}' for name, n in facts.items() if isinstance(n, int))}."
    )
    if left_out := facts.get("files_left_out", []):
        lines = [f"{left['file']}: {left['reason']}" for left in left_out[:MAX_LEFT_OUT]]
        if len(left_out) > MAX_LEFT_OUT:
            lines.append(f"{len(left_out) - MAX_LEFT_OUT} more (sample/summary.json)")
        yield Paragraph("Left out of the folders in sources:")
        yield Items(lines)


def rejected_rows(tables: Sequence[Path], run: Path) -> Iterator[Part]:
    """List the rejected rows of tables."""
    lines = [
        f"{source_of(path, run)}, {row.file}, line {row.line}, {row.mat_id}: {row.reason}"
        for path in tables
        for row in read_table(path, REJECTED_ROWS).itertuples()
    ]
    if len(lines) > MAX_REJECTED_ROWS:
        n_more = len(lines) - MAX_REJECTED_ROWS
        lines = [*lines[:MAX_REJECTED_ROWS], f"{n_more} more (sample/rejected.parquet)"]
    if lines:
        yield Paragraph("Rejected rows:")
        yield Items(lines)


def rejects(tables: Sequence[Path], run: Path) -> Iterator[Part]:
    """Count the rejects of the stages after sampling, by source and reason."""
    reasons: Counter[tuple[str, str, str]] = Counter()
    for path in tables:
        where = source_of(path, run), path.parent.name
        reasons.update((*where, reason) for reason in read_table(path, REJECTS)["reason"])
    if not reasons:
        yield Paragraph("No stage after sampling rejected a material.")
        return
    # Reasons that name a value differ between materials.
    shown = sorted(reasons.most_common(MAX_REASONS))
    lines = [f"{source}, {stage}: {n} x {reason}" for (source, stage, reason), n in shown]
    n_more = reasons.total() - sum(n for _, n in shown)
    if n_more:
        lines.append(f"{n_more} more, for {len(reasons) - len(shown)} other reasons (*.rejected.parquet)")
    yield Paragraph("Rejected by later stages:")
    yield Items(lines)


def work(provenance: Sequence[Path], run: Path) -> Iterator[Part]:
    """Count for each source and stage the results made by this run and kept from earlier ones."""
    made: Counter[tuple[str, str]] = Counter()
    kept: Counter[tuple[str, str]] = Counter()
    for path in provenance:
        counts, where = read_json(path), (source_of(path, run), path.parent.name)
        made[where] += counts["made"]
        kept[where] += counts["kept"]
    if made:
        yield Table(
            "work",
            "Results of the stages, made by this run or kept from earlier ones.",
            ["source", "stage", "made", "kept from earlier runs"],
            [
                [text(source), text(stage), count(n), count(kept[source, stage])]
                for (source, stage), n in made.items()
            ],
        )


def parts_of_splits(splits: Sequence[tuple[Path, pd.DataFrame]], run: Path) -> Iterator[Part]:
    """Count the materials in each part of each split."""
    rows = [
        [
            text(split_of(path, run)),
            *(count((own["part"] == part).sum()) for part in ("train", "valid", "test")),
        ]
        for path, own in splits
    ]
    if rows:
        yield Table(
            "parts",
            "Materials in each part.",
            ["split", "training", "validation", "test"],
            rows,
        )


def picture(path: Path, name: str, caption: str, alt: str) -> Picture:
    """Return a picture of the run as part of the page."""
    with Image.open(path) as image:
        small = image.convert("RGB")
        small.thumbnail((MAX_WIDTH, 10 * MAX_WIDTH))
    return Picture(name, caption, alt, png_address(small))


def materials_section(parts: Sequence[Part]) -> Section:
    """Return the section with these parts."""
    return Section("materials", "Materials and objectives", LEAD, parts)
