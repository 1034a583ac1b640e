"""Align rows, split, composition images and their statistics in one table."""

import os
from pathlib import Path
from typing import Annotated, Any

from polyfacet.facets.compimage.statistics_table import COMPOSITION_STATISTICS, STATISTICS_COLUMN
from polyfacet.facets.registry import DIGEST_SUFFIX, Facet
from polyfacet.materials.stage_tables import COMPOSITION_IMAGES
from polyfacet.runtime.arguments import Key
from polyfacet.runtime.parquet import read_table, write_table
from polyfacet.sources.tables.description import table_source
from polyfacet.sources.tables.reading import rows_schema
from polyfacet.splits.parts import SPLIT
from polyfacet.training.table_dataset import table_dataset_schema


def main(
    rows: Path,
    split: Path,
    statistics: Path,
    composition_images: Path,
    dataset: Path,
    *,
    table: str,
    description: Annotated[dict[str, Any], Key("tables.table")],
) -> None:
    """Write the dataset of one split.

    Parameters
    ----------
    rows, split, statistics
        Checked rows of the table; part of each; statistics of their compositions.
    composition_images
        Manifest of the images; ``x.parquet`` lists what is in the folder ``x``.
    dataset
        Output.
    table, description
        Name of the table and what its columns mean.
    """
    objectives = table_source(table, description).objectives
    frame = read_table(rows, rows_schema(objectives)).drop(columns="line")
    frame = frame.merge(read_table(split, SPLIT), on="mat_id", how="left", validate="one_to_one")
    name = Facet.COMPIMAGE.facts.column
    images = read_table(composition_images, COMPOSITION_IMAGES)
    folder = os.path.relpath(composition_images.with_suffix(""), dataset.parent)
    images["image"] = [f"{folder}/{image}" for image in images["image"]]
    images = images.rename(columns={"image": name, "sha256": f"{name}{DIGEST_SUFFIX}"})
    frame = frame.merge(images, on="mat_id", how="left", validate="one_to_one")
    values = read_table(statistics, COMPOSITION_STATISTICS)
    values = values.rename(columns={"statistics": STATISTICS_COLUMN})
    frame = frame.merge(values, on="mat_id", how="left", validate="one_to_one")
    both = [Facet.TABULAR.value, Facet.COMPIMAGE.value]
    frame["facets"] = [both if drawn else both[:1] for drawn in frame[name].notna()]
    frame = frame.rename(columns={"features": Facet.TABULAR.facts.column})
    write_table(dataset, frame.sort_values("mat_id"), table_dataset_schema(objectives))


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
