"""Write the report: one page that opens offline, its figures as PNG and SVG, its numbers as CSV."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

import pandas as pd

from polyfacet.evaluation.representations.tables import GEOMETRY
from polyfacet.evaluation.retrieval.schema import RETRIEVAL
from polyfacet.facets.registry import IMAGE, shown_columns
from polyfacet.materials.stage_tables import TWINS
from polyfacet.reporting.exporting import export_figures
from polyfacet.reporting.page import materials as of_materials
from polyfacet.reporting.page.csv_tables import write_csv_tables
from polyfacet.reporting.page.document import sections_of_report
from polyfacet.reporting.page.notes import (
    element_note,
    equal_repeats,
    hidden_note,
    network_notes,
    repeats_note,
    rows_note,
    skipped_note,
    splits_note,
    twins_note,
)
from polyfacet.reporting.page.parts import Heading, Items, Paragraph, Part
from polyfacet.reporting.page.published import published_scores
from polyfacet.reporting.page.records import read_json, split_of
from polyfacet.reporting.page.rendering import render, specs_of
from polyfacet.reporting.page.results import Results
from polyfacet.runtime.arguments import Key
from polyfacet.runtime.files import write_text
from polyfacet.runtime.parquet import read_table
from polyfacet.runtime.progress import tell
from polyfacet.splits.coverage import read_coverage
from polyfacet.splits.parts import SPLIT
from polyfacet.training.dataset import read_dataset
from polyfacet.training.encoders.token_counts import tokens_notes


def main(
    evaluation: list[Path],
    retrieval: list[Path],
    geometry: list[Path],
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
    figures: Path,
    tables: Path,
    twins_csv: Path,
    *,
    run_name: str,
    seed: Annotated[int, Key("seed")],
    published: Sequence[Mapping[str, Any]],
    configuration: Mapping[str, Any],
    skipped: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
    code: str | None = None,
    sample: Path | None = None,
    dataset: Path | None = None,
    sheet: Path | None = None,
    legend: Path | None = None,
    explanations: Sequence[Path] = (),
) -> None:
    """Write the report.

    Parameters
    ----------
    evaluation
        Tables of the evaluation, named after what they hold; ``cells.parquet`` is one of them.
    retrieval
        Tables of retrieval, of foundations that represent facets.
    geometry
        Tables of measures of their representations.
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
    report, figures, tables, twins_csv
        Outputs: the page; the folders of its figures and of its tables; a list of all twins.
    run_name, seed
        Title of the page, and seed of the run.
    published
        Published scores, entries of ``report.published`` of a configuration.
    configuration
        Configuration of the run, with defaults.
    skipped
        Source to its methods that were not trained, with the reason.
    code
        Digest of the code of this script.
    sample
        The sampled crystals; None without crystals.
    dataset
        ``_metadata`` of a dataset with structure pictures; None without pictures.
    sheet, legend
        Sheet of structure pictures and legend of the composition image; each None if there is none.
    explanations
        Folders of the explanations of foundations.
    """
    results = Results(evaluation)
    run = report.parents[1]
    found = _twins(twins)
    write_text(twins_csv, found.to_csv(index=False))
    for line in equal_repeats(results.cells):
        tell(f"{line}; their spread says nothing about other test materials")
    records = {path.parent.name: read_json(path) for path in networks}
    parts_of_crystals = [(path, read_table(path, SPLIT)) for path in splits]
    formulas = read_table(sample, columns=["mat_id", "formula"]) if sample else None
    notes = [
        element_note(formulas, [own for _, own in parts_of_crystals], results.cells),
        *network_notes(records, results.cells),
    ]
    materials: list[Part] = [
        *of_materials.statistics_tables(statistics, run),
        Heading("What the scores rest on"),
        *skipped_note(skipped),
        *hidden_note(configuration["training"]["missing"]),
        *repeats_note(results.cells),
        *map(Paragraph, filter(None, notes)),
        *rows_note(results.cells),
        *of_materials.failed_cells(results),
        Heading("Materials"),
        *of_materials.counted(summaries, run),
        *of_materials.parts_of_splits(parts_of_crystals, run),
        *splits_note({split_of(path, run): read_coverage(path) for path in coverages}),
        *([Paragraph(twins_note(found))] if twins else []),
        *of_materials.rejected_rows(rejected_rows, run),
        *of_materials.rejects(rejected, run),
        *of_materials.work(provenance, run),
        *_texts(tokens),
        *_pictures(sheet, legend),
    ]
    sections = sections_of_report(
        results,
        materials,
        _pictures_of_crystals(dataset),
        {"run": run_name, "seed": seed, "configuration": configuration, "code": code},
        published_scores(results, published),
        [read_table(path, RETRIEVAL) for path in retrieval],
        [read_table(path, GEOMETRY) for path in geometry],
        explanations,
    )
    write_csv_tables(results, tables)
    specs = specs_of(figure for section in sections for figure in section.figures)
    write_text(report, render(run_name, sections, export_figures(specs, figures)))


def _texts(tokens: Sequence[Path]) -> Iterator[Part]:
    if tokens:
        yield Heading("Texts")
        yield Items(tokens_notes(tokens))


def _twins(tables: Sequence[Path]) -> pd.DataFrame:
    if not tables:
        return TWINS.empty_table().to_pandas()
    return pd.concat([read_table(path, TWINS) for path in tables]).sort_values(["twin_group", "mat_id"])


def _pictures_of_crystals(dataset: Path | None) -> dict[str, Path]:
    """Return the first structure picture of each crystal that has one."""
    if dataset is None:
        return {}
    frame = read_dataset(dataset)
    if not (views := shown_columns(IMAGE, frame.columns)):
        return {}
    drawn = frame[["mat_id", views[0]]].dropna()
    return {mat_id: dataset.parent / path for mat_id, path in drawn.itertuples(index=False)}


def _pictures(sheet: Path | None, legend: Path | None) -> Iterator[Part]:
    if sheet:
        caption = "Structure pictures of materials spread evenly over the sample, sorted by formula."
        yield Heading("Pictures of the structures")
        yield of_materials.picture(
            sheet, "contact-sheet", caption, "Sheet of structure pictures with formulas"
        )
    if legend:
        caption = "Which block of a composition image shows which property."
        yield Heading("Blocks of the composition image")
        yield of_materials.picture(legend, "composition-legend", caption, "Legend of the composition image")


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
