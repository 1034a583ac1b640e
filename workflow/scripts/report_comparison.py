"""Write the report of a comparison: what follows from it, its tables, and the rows that were left out."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from polyfacet.evaluation.scores import SCORES, compare
from polyfacet.reporting.comparison.findings import MAX_SPREAD, REPRODUCED_WITHIN, findings
from polyfacet.reporting.comparison.sections import section_markdown, sections
from polyfacet.runtime.files import write_text
from polyfacet.runtime.markdown import plain
from polyfacet.runtime.parquet import read_table
from polyfacet.runtime.rejects import REJECTS
from polyfacet.sources.tables.reading import REJECTED_ROWS

HOW_TO_READ = f"""\
Mean ± standard deviation over the repeats of each split, always on the test part. A random split may hold one
composition in both parts, a grouped one holds each composition in one part. R2 is the coefficient of
determination, MAE the mean absolute error in the unit of the target; precision, recall and F1 are of one
class, macro F1 is the mean over the classes. "Beats it" counts the repeats in which a method's first score is
better than that of `{{reference}}` on the same split. A published score counts as reproduced only where the
settings of both are declared the same and it is within {REPRODUCED_WITHIN:g} standard deviations of ours,
which may be {MAX_SPREAD:g} at most."""


def main(
    scores: Path,
    figure: Path,
    summaries: list[Path],
    rejected_rows: list[Path],
    rejected_images: list[Path],
    report: Path,
    tables: Path,
    *,
    run_name: str,
    reference: str | None,
    published: Sequence[Mapping[str, Any]],
) -> None:
    """Write the report and, alone, its findings and tables.

    Parameters
    ----------
    scores, figure
        Scores of all cells; figure to show.
    summaries, rejected_rows
        What was read of each table; the rows that could not be used.
    rejected_images
        Rows of each table that have no composition image.
    report, tables
        Outputs in Markdown: all of it; findings and tables only, for other documents.
    run_name, reference, published
        Title; method that the others are held against; published scores.
    """
    frame = read_table(scores, SCORES)
    comparison = compare(frame, reference)
    said = "\n".join(f"- {sentence}" for sentence in findings(comparison, published, reference))
    parts = [
        f"### {plain(section.title)}\n\n{section_markdown(section, comparison, published, reference)}"
        for section in sections(comparison)
    ]
    results = "\n\n".join(
        [said, HOW_TO_READ.format(reference=reference), *parts, *filter(None, [_sources(published)])]
    )
    write_text(tables, f"{results}\n")
    document = [
        f"# Polyfacet: {run_name}",
        f"![Scores of the methods]({figure.name})",
        f"## Findings and tables\n\n{results}",
        _failures(frame),
        "## Rows",
        *(_rows(*pair) for pair in zip(summaries, rejected_rows, strict=True)),
        _image_rejects(rejected_images),
    ]
    write_text(report, "\n\n".join(part for part in document if part) + "\n")


def _sources(published: Sequence[Mapping[str, Any]]) -> str:
    sources = dict.fromkeys(entry["source"] for entry in published)
    return f"Published scores: {'; '.join(sources)}." if sources else ""


def _failures(frame: pd.DataFrame) -> str:
    failed = frame[frame["reason"].notna()]
    lines = [
        f"- {row.table}, {row.split} {row.repeat}: `{row.method}` on {row.target}: {plain(str(row.reason))}"
        for row in failed.itertuples()
    ]
    return "## Failed cells\n\n" + "\n".join(lines) if lines else ""


def _rows(summary: Path, rejected: Path) -> str:
    facts = json.loads(summary.read_text(encoding="utf-8"))
    text = (
        f"{plain(facts['file'])}: {facts['n_read']} rows, {facts['n_rejected']} rejected, "
        f"{facts['n_compositions']} compositions, {len(facts['features'])} features "
        f"({plain(', '.join(facts['features']))})."
    )
    rows = read_table(rejected, REJECTED_ROWS)
    lines = [
        f"- line {row.line}, {plain(str(row.mat_id))}: {plain(str(row.reason))}" for row in rows.itertuples()
    ]
    return "\n".join([text, "", *lines]) if lines else text


def _image_rejects(tables: Sequence[Path]) -> str:
    rejects = pd.concat([read_table(path, REJECTS) for path in tables])
    lines = [f"- {plain(str(row.mat_id))}: {plain(str(row.reason))}" for row in rejects.itertuples()]
    return "Without composition image:\n\n" + "\n".join(lines) if lines else ""


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
