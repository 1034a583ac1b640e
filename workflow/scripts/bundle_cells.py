"""Make the bundles of the cells of a split: folders with all that predictions need."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from polyfacet.config.composition import Composition
from polyfacet.config.graphs import Graphs
from polyfacet.config.images import Drawing
from polyfacet.config.sample import MaxSites
from polyfacet.config.tables import TableSource
from polyfacet.facets.aligned import tables_by_facet, with_facets
from polyfacet.facets.registry import COMPIMAGE, GRAPH, facet_named
from polyfacet.reporting.model_card import model_card
from polyfacet.runtime.files import atomic_path, write_text
from polyfacet.runtime.parquet import read_table
from polyfacet.runtime.progress import tell, track
from polyfacet.training.bundles.description import (
    CALIBRATION_FILE,
    GREY_LEVELS,
    MODEL_CARD_FILE,
    NETWORK,
    BundledObjective,
    FacetSettings,
    TableColumns,
)
from polyfacet.training.bundles.writing import BundleWriter, FinishedCell, SplitFiles
from polyfacet.training.cards import CARD_FILE, read_card


def main(
    sample: Path,
    tables: list[Path],
    element_table: Path,
    bundles: Path,
    *,
    cells: str,
    grid: Sequence[str],
    facets: Sequence[str],
    objectives: Mapping[str, Mapping[str, Any]],
    settings: Mapping[str, Any],
    forms: Mapping[str, str],
    table: Mapping[str, Any] | None = None,
    summary: Path | None = None,
    network: Path | None = None,
    grey_levels: Path | None = None,
    encoders: list[Path] | None = None,
    encoded: Sequence[str] = (),
    representations: list[Path] | None = None,
    representing: Sequence[str] = (),
    files: Sequence[str] = (),
) -> None:
    """Make the bundles of one split.  Failed cells have none.

    Parameters
    ----------
    sample
        Table of the source's materials.
    tables
        Tables of the facets that have a stage, grouped by facet, one per shard.
    element_table
        Properties of the elements.
    bundles
        Output: folder of ``<method>/<combination>/<objective>``.
    cells
        Folder of the trained cells.
    grid
        Folder of each cell, relative to that.
    facets
        Facets of the source.
    objectives
        Fields of `polyfacet.training.bundles.description.BundledObjective` by column.
    settings
        Sections of the configuration: ``max_sites``, ``graphs``, ``images``, ``composition``.
    forms
        Facet to the variant used where a combination names none.
    table, summary
        Description of the table's columns (`polyfacet.config.tables.TableSource`), and what was read of them;
        None for crystals.
    network, grey_levels
        What facets have fitted on the training part.
    encoders, encoded
        Encoders of facets of texts and pictures, for engines that read their encodings, and these facets.
    representations, representing
        Tables of the representations of all materials by the foundations of methods, and these methods.
    files
        Files and folders of the source; model cards have their names, but no paths.
    """
    named = [facet_named(name) for name in facets]
    materials = read_table(sample, columns=["mat_id", "formula"])
    fitted: dict[str, dict[str, Path]] = {}
    if network:
        fitted[GRAPH.name] = {NETWORK: network}
    if grey_levels:
        fitted[COMPIMAGE.name] = {GREY_LEVELS: grey_levels}
    split = SplitFiles(
        materials=with_facets(materials, tables_by_facet(named, tables, sample)),
        element_table=element_table,
        fitted=fitted,
        forms=forms,
        settings=_settings(settings),
        calibrated=settings["composition"]["fit"] == "train",
        table=_columns(table, summary) if table and summary else None,
        encoders=dict(zip(encoded, encoders or [], strict=True)),
        representations=dict(zip(representing, representations or [], strict=True)),
    )
    writer, names = BundleWriter(split), [Path(file).name for file in files]
    with atomic_path(bundles) as folder:
        folder.mkdir()
        failed = [
            name
            for name in track(grid, f"bundles {bundles.parent.name}")
            if not _bundle(writer, Path(cells) / name, objectives, folder / name, names)
        ]
    without = f"; these failed and have none: {', '.join(failed)}" if failed else ""
    tell(f"bundles {bundles.parent.name}: {len(grid) - len(failed)} of {len(grid)} cells{without}")


def _bundle(
    writer: BundleWriter,
    cell: Path,
    objectives: Mapping[str, Mapping[str, Any]],
    folder: Path,
    files: Sequence[str],
) -> bool:
    """Make the bundle of a cell; return whether there is one."""
    card = read_card(cell / CARD_FILE)
    if card.status != "ok":
        return False
    folder.mkdir(parents=True)
    objective = BundledObjective(
        column=card.objective, classes=tuple(card.classes), **objectives[card.objective]
    )
    description = writer.write(FinishedCell(cell, card, objective), folder)
    calibration = read_table(folder / CALIBRATION_FILE)
    write_text(folder / MODEL_CARD_FILE, model_card(description, card, calibration, files))
    return True


def _settings(sections: Mapping[str, Any]) -> FacetSettings:
    """Read the sections of the configuration, without paths of this machine."""
    images = {name: value for name, value in sections["images"].items() if name in Drawing.model_fields}
    return FacetSettings(
        max_sites=MaxSites(**sections["max_sites"]),
        graphs=Graphs(**sections["graphs"]),
        images=Drawing(**images),
        composition=Composition(**{**sections["composition"], "element_table": None}),
    )


def _columns(table: Mapping[str, Any], summary: Path) -> TableColumns:
    """Return the columns of a table, and the elements of its facet ``composition``."""
    described = TableSource.model_validate(table)
    features = json.loads(summary.read_text(encoding="utf-8"))["features"]
    return TableColumns(
        id=described.id,
        composition=described.composition,
        process=tuple(described.process),
        microstructure=tuple(described.microstructure),
        elements=tuple(features[: len(features) - sum(map(len, described.features.values()))]),
    )


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
