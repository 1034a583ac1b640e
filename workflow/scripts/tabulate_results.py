"""Write the scores as tables: MAE and MASE as CSV, and the tables of the report in Markdown."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from polyfacet.evaluation.means import compare
from polyfacet.evaluation.shared_repeats import is_shared
from polyfacet.evaluation.tables import CELLS, SCORES
from polyfacet.reporting.findings import comparison_findings, grid_findings
from polyfacet.reporting.grids import METRIC_LABELS, SHOWN, Grid, grids
from polyfacet.reporting.naming import pretrained_legend
from polyfacet.reporting.published import MAX_SPREAD, REPRODUCED_WITHIN
from polyfacet.reporting.row_counts import row_counts
from polyfacet.reporting.section_tables import section_markdown, section_title
from polyfacet.reporting.sections import Section, sections
from polyfacet.runtime.files import write_text
from polyfacet.runtime.markdown import plain
from polyfacet.runtime.parquet import read_table
from polyfacet.splits.methods import SPLIT_METHODS

DESCRIPTION = """\
This is a description: the scores are ranked on the test rows themselves, and a difference between two of them
may be chance. Verdicts that follow from tests are in `report.html` and `evaluation/tests.parquet`. Baselines
look at nothing, or cheaply at the composition alone. Untrained controls are not ranked."""
HOW_TO_READ = """\
MAE is the mean absolute error on the test part, in the unit of the objective. MASE = MAE / mean absolute
deviation of the test values around their mean: 0 is perfect, 1 equals always predicting the mean of
the test values. Macro F1 is the mean F1 over the classes. With several repeats, values are mean ±
standard deviation over them. Non-trivial test values differ from the most frequent one. The best value
of each objective is bold, untrained controls aside. Methods with different numbers of repeats are compared on
those that all have: each repeat has its own test rows. A dagger (†) marks cells whose facets reveal the
objective: the volume per atom, for example, follows from the lattice. An untrained control sees a facet
through an untrained encoder."""
UNEVEN = """\
Means over all repeats of each method. They differ in their numbers of repeats, and thus in their test rows:
no value is marked as the best."""


def main(
    cells_table: Path,
    scores: Path,
    mae_csv: Path,
    mase_csv: Path,
    tables: Path,
    *,
    reference: str | None,
    published: Sequence[Mapping[str, Any]],
) -> None:
    """Write the tables.

    Parameters
    ----------
    cells_table, scores
        Facts and scores of all cells.
    mae_csv, mase_csv
        Outputs: one row per source, split, method and combination, with its number of repeats and whether
        it is an untrained control, one column per objective.
    tables
        Output in Markdown: findings and tables, for the report and other documents.
    reference
        Method that the others are compared with; None for none.
    published
        Published scores, entries of ``report.published`` of a configuration.
    """
    cells, frame = read_table(cells_table, CELLS), read_table(scores, SCORES)
    comparison = compare(frame, reference)
    found = grids(cells, comparison)
    for metric, path in (("mae", mae_csv), ("mase", mase_csv)):
        write_text(path, wide(found, metric).to_csv(index=False))
    findings = [sentence for grid in found for sentence in grid_findings(grid)]
    findings += comparison_findings(cells, comparison, published, reference)
    parts = [
        f"## Best scores\n\n{DESCRIPTION}\n\n" + "\n".join(findings),
        f"## How to read the tables\n\n{HOW_TO_READ} {pretrained_legend(cells)}".rstrip(),
        _splits(cells),
        *(_grid(grid, frame) for grid in found),
    ]
    if reference is not None or published or cells["split"].nunique() > 1:
        parts.append(_sections(cells, frame, comparison, published, reference))
    write_text(tables, "\n\n".join(part for part in parts if part) + "\n")


def wide(found: Sequence[Grid], metric: str) -> pd.DataFrame:
    """Arrange a metric of all grids of numbers in one table."""
    keys = ["source", "split", "method", "combination", "repeats", "control"]
    own = [
        grid.values(metric).assign(
            source=grid.source,
            split=grid.split,
            **dict(zip(("method", "combination"), pairs, strict=True)),
            repeats=[grid.repeats[method] for method in pairs[0]],
            control=[key in grid.controls for key in grid.rows],
        )
        for grid in found
        if grid.kind == "numbers"
        for pairs in [tuple(zip(*grid.rows, strict=True))]
    ]
    if not own:
        return pd.DataFrame(columns=keys)
    table = pd.concat(own, ignore_index=True)
    return table[[*keys, *(name for name in table.columns if name not in keys)]]


def _splits(cells: pd.DataFrame) -> str:
    """Describe how each split was made."""
    named = cells[["split", "split_method"]].drop_duplicates()
    labels = {name: method.label for name, method in SPLIT_METHODS.all().items()}
    said = [f"`{split}` is {labels.get(method, method)}" for split, method in named.itertuples(index=False)]
    return (
        f"Splits: {', '.join(said)}. A random split may have polymorphs, or rows of one composition, in "
        "several parts; a split by formula keeps each composition in one part."
    )


def _grid(grid: Grid, scores: pd.DataFrame) -> str:
    where = f"{plain(grid.source)}, split `{grid.split}`"
    shared = scores[is_shared(scores)]
    counts, shared_counts = (
        row_counts(own, grid.source, grid.split, grid.objectives) for own in (scores, shared)
    )
    parts = []
    for metric in SHOWN[grid.kind]:
        parts.append(f"## {METRIC_LABELS[metric]}: {where}")
        if grid.is_uneven:
            over = grid.over_shared.capitalize()
            parts += [f"{over}:", grid.markdown(metric, over_shared=True), shared_counts, UNEVEN]
        parts += [grid.markdown(metric), counts]
    return "\n\n".join(filter(None, parts))


def _counts(section: Section, scores: pd.DataFrame) -> str:
    """State the numbers of test rows of a section on each split."""
    labels = {section.objective: section.label}
    splits = scores.loc[scores["source"] == section.source, "split"].unique()
    return "\n".join(filter(None, (row_counts(scores, section.source, split, labels) for split in splits)))


def _sections(
    cells: pd.DataFrame,
    scores: pd.DataFrame,
    comparison: pd.DataFrame,
    published: Sequence[Mapping[str, Any]],
    reference: str | None,
) -> str:
    how = "R2 is the coefficient of determination; precision, recall and F1 are per class."
    if reference is not None:
        how += (
            ' "Beats it" counts the repeats in which the first score of a method is better than that of '
            f"`{reference}` on the same split."
        )
    if published:
        published_in = dict.fromkeys(plain(entry["published_in"]) for entry in published)
        how += (
            " A published score is compared with our score of the same method and combination. It counts as "
            "reproduced only if both are declared to have the same settings and it is within "
            f"{REPRODUCED_WITHIN:g} standard deviations of ours, which must not exceed "
            f"{MAX_SPREAD:g}. Published scores: "
            f"{'; '.join(published_in)}."
        )
    parts = [
        f"### {section_title(section)}\n\n{section_markdown(section, comparison, published, reference)}\n\n"
        f"{_counts(section, scores)}".rstrip()
        for section in sections(cells, comparison)
    ]
    return "\n\n".join([f"## Methods side by side\n\n{how}", *parts])


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
