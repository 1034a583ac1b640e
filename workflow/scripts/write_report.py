"""Write the report: the run, its results, its rejects, and how to read it."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from polyfacet.evaluation.tables import CELLS
from polyfacet.materials.objective_statistics import STATISTICS
from polyfacet.materials.stage_tables import TWINS
from polyfacet.reporting.notes import (
    element_note,
    equal_repeats,
    network_note,
    repeats_note,
    rows_note,
    splits_note,
    tested_note,
    twins_note,
)
from polyfacet.reporting.objective_tables import in_markdown
from polyfacet.runtime.files import unreadable, write_text
from polyfacet.runtime.markdown import plain, table
from polyfacet.runtime.parquet import read_table
from polyfacet.runtime.progress import tell
from polyfacet.runtime.rejects import REJECTS
from polyfacet.sources.tables.schemas import REJECTED_ROWS
from polyfacet.splits.coverage import read_coverage
from polyfacet.splits.parts import SPLIT
from polyfacet.training.encoders.token_counts import tokens_note

# The complete lists are in the summary of the sample and in the tables of rejects.
MAX_LEFT_OUT = 20
MAX_REJECTED_ROWS = 20
MAX_REASONS = 20


def main(
    cells_table: Path,
    tables: Path,
    heatmap: Path,
    bars: Path,
    comparison: Path,
    statistics: list[Path],
    summaries: list[Path],
    rejected_rows: list[Path],
    splits: list[Path],
    coverages: list[Path],
    networks: list[Path],
    twins: list[Path],
    tokens: list[Path],
    rejected: list[Path],
    provenance: list[Path],
    report: Path,
    twins_csv: Path,
    *,
    run_name: str,
    sample: Path | None = None,
    sheet: Path | None = None,
    legend: Path | None = None,
) -> None:
    """Write the report in Markdown, next to its tables and figures.

    Parameters
    ----------
    cells_table, tables
        Facts of all cells; findings and tables in Markdown.
    heatmap, bars, comparison, sheet, legend
        Figures to show; the last two only if there are pictures.
    statistics
        Statistics of the objectives of each source.
    summaries
        Counts from sampling or reading the materials of each source.
    rejected_rows
        Rejected rows of tables.
    splits
        Parts of the crystals in each repeat of each split.
    coverages
        Materials that each split of each source leaves out, and its identifiers that are not in the sample.
    networks
        Record of the network of each split.
    twins
        Tables of the twins among the crystals, one per shard.
    tokens
        Token counts of the text encoders; empty without such an encoder.
    rejected
        Tables of rejects of the stages.
    provenance
        Numbers of results that the stages' jobs made, and kept from earlier runs.
    report, twins_csv
        Outputs: the report; a list of all twins.
    run_name
        Title of the run.
    sample
        The sampled crystals; None without crystals.
    """
    cells = read_table(cells_table, CELLS)
    found = (
        pd.concat([read_table(path, TWINS) for path in twins]) if twins else TWINS.empty_table().to_pandas()
    )
    found = found.sort_values(["twin_group", "mat_id"])
    write_text(twins_csv, found.to_csv(index=False))
    for line in equal_repeats(cells):
        tell(f"{line}; the spread over them is due to training only")
    formulas = read_table(sample, columns=["mat_id", "formula"]) if sample else None
    notes = [
        tested_note(cells),
        repeats_note(cells),
        element_note(formulas, [read_table(path, SPLIT) for path in splits], cells),
        network_note({f"{path.parent.name}": read_json(path) for path in networks}, cells),
    ]
    run = report.parents[1]
    materials = [_counted(_source(path, run), path) for path in summaries]
    materials += [splits_note({_split(path, run): read_coverage(path) for path in coverages})]
    materials += [twins_note(found, twins_csv.name)] if twins else []
    materials += [_rejected_rows(rejected_rows, run), _rejects(rejected, run), _work(provenance, run)]
    parts = [
        f"# Polyfacet: {plain(run_name)}",
        tables.read_text(encoding="utf-8").strip(),
        "## What the scores rest on\n\n" + "\n\n".join(filter(None, notes)),
        f"## Figures\n\n![MASE heatmap]({heatmap.name})\n\n![MAE bars]({bars.name})\n\n"
        f"![Scores of the methods]({comparison.name})",
        _objectives(statistics, run),
        _failures(cells),
        rows_note(cells),
        "## Materials\n\n" + "\n\n".join(filter(None, materials)),
        f"## Texts\n\n{tokens_note(tokens)}" if tokens else "",
        f"![Pictures of the structures]({sheet.name})" if sheet else "",
        f"## Blocks of the composition image\n\n![Legend of the composition image]({legend.name})"
        if legend
        else "",
    ]
    write_text(report, "\n\n".join(part for part in parts if part) + "\n")


def _objectives(tables: Sequence[Path], run: Path) -> str:
    """Show the statistics of the objectives of each source."""
    parts = [
        f"{plain(_source(path, run))}:\n\n{in_markdown(read_table(path, STATISTICS))}" for path in tables
    ]
    note = (
        "MAD: mean absolute deviation from the mean, the error of always predicting the mean. Materials "
        "without a value are left out of the cells of that objective."
    )
    return "\n\n".join(["## Objectives", *parts, note])


def _failures(cells: pd.DataFrame) -> str:
    failed = cells[cells["status"] == "failed"]
    lines = [
        f"- {row.source}, {row.split} {row.repeat}: `{row.method}` with {row.combination} on "
        f"{plain(str(row.label))}: {plain(str(row.reason))}"
        for row in failed.itertuples()
    ]
    return "## Failed cells\n\n" + "\n".join(lines) if lines else ""


def _source(path: Path, run: Path) -> str:
    """Return the source that a file of a run belongs to: the first folder below that of the run."""
    return path.relative_to(run).parts[0]


def _split(path: Path, run: Path) -> str:
    """Return the source, split and repeat that a file of a run belongs to."""
    return "/".join(path.relative_to(run).parts[:2])


def _counted(name: str, summary: Path) -> str:
    """Describe a source's entries or rows, and which were left out."""
    facts = read_json(summary)
    if "file" in facts:
        columns = plain(", ".join(facts["features"]))
        return (
            f"{plain(name)}: {plain(facts['file'])}: {facts['n_read']} rows, {facts['n_rejected']} rejected, "
            f"{facts['n_compositions']} compositions, {len(facts['features'])} features ({columns})."
        )
    return _sampling(facts)


def _sampling(facts: Mapping[str, Any]) -> str:
    counts = ", ".join(f"{name} {n}" for name, n in facts.items() if isinstance(n, int))
    lines = [f"Entries: {counts}."]
    left_out = facts.get("files_left_out", [])
    if left_out:
        lines.append("Left out of the folders in `sources`:\n")
        lines += [f"- {plain(left['file'])}: {plain(left['reason'])}" for left in left_out[:MAX_LEFT_OUT]]
    if len(left_out) > MAX_LEFT_OUT:
        lines.append(f"- {len(left_out) - MAX_LEFT_OUT} more (`sample/summary.json`)")
    return "\n".join(lines)


def _rejected_rows(tables: Sequence[Path], run: Path) -> str:
    lines = [
        f"- {plain(_source(path, run))}, {plain(str(row.file))}, line {row.line}, {plain(str(row.mat_id))}: "
        f"{plain(str(row.reason))}"
        for path in tables
        for row in read_table(path, REJECTED_ROWS).itertuples()
    ]
    if len(lines) > MAX_REJECTED_ROWS:
        n_more = len(lines) - MAX_REJECTED_ROWS
        lines = [*lines[:MAX_REJECTED_ROWS], f"- {n_more} more (`sample/rejected.parquet`)"]
    return "Rejected rows:\n\n" + "\n".join(lines) if lines else ""


def read_json(path: Path) -> dict[str, Any]:
    """Read the counts of a stage; if the file is damaged, the error says to delete it."""
    try:
        return dict(json.loads(path.read_bytes()))
    except ValueError as error:
        raise unreadable(path, error) from error


def _rejects(tables: list[Path], run: Path) -> str:
    """Count the rejects of the stages after sampling, by source and reason."""
    reasons: Counter[tuple[str, str, str]] = Counter()
    for path in tables:
        where = _source(path, run), path.parent.name
        reasons.update((*where, reason) for reason in read_table(path, REJECTS)["reason"])
    if not reasons:
        return "No stage after sampling rejected a material."
    # Reasons that name a value differ between materials.
    shown = sorted(reasons.most_common(MAX_REASONS))
    lines = [
        f"- {plain(source)}, {plain(stage)}: {n} x {plain(reason)}" for (source, stage, reason), n in shown
    ]
    n_more = reasons.total() - sum(n for _, n in shown)
    if n_more:
        lines.append(f"- {n_more} more, for {len(reasons) - len(shown)} other reasons (`*.rejected.parquet`)")
    return "Rejected by later stages:\n\n" + "\n".join(lines)


def _work(provenance: list[Path], run: Path) -> str:
    """Count for each source and stage the results made by this run and kept from earlier ones."""
    made: Counter[tuple[str, str]] = Counter()
    kept: Counter[tuple[str, str]] = Counter()
    for path in provenance:
        counts, where = read_json(path), (_source(path, run), path.parent.name)
        made[where] += counts["made"]
        kept[where] += counts["kept"]
    if not made:
        return ""
    lines = [
        [plain(source), plain(stage), str(n), str(kept[source, stage])] for (source, stage), n in made.items()
    ]
    return table(["source", "stage", "made", "kept from earlier runs"], lines, n_left=2)


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
