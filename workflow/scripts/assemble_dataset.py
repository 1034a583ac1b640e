"""Align targets, facets and split of every material in one table."""

import os
from collections import Counter
from pathlib import Path

import pandas as pd

from polyfacet.dataset import DATASET
from polyfacet.facets import Facet
from polyfacet.materials import SAMPLE
from polyfacet.progress import tell
from polyfacet.splitting import SPLIT
from polyfacet.stage_tables import COMPOSITION_IMAGES, EMBEDDINGS, PICTURES, TEXTS
from polyfacet.tables import read_table, write_table


def main(
    sample: Path,
    split: Path,
    text: Path,
    images: list[Path],
    embeddings: Path,
    composition_images: Path,
    dataset: Path,
) -> None:
    """Write the dataset.

    Parameters
    ----------
    sample, split
        Tables of the sampled materials and their parts.
    text, embeddings, composition_images
        Tables of the facets; a material that a facet's stage rejected is not in that facet's table.
    images
        Manifests of the shards of pictures; ``x.parquet`` lists what is in the folder ``x``.
    dataset
        Output.
    """
    frame = read_table(sample, SAMPLE).drop(columns=["structure", "source_file", "source_position"])
    frame = frame.merge(read_table(split, SPLIT), on="mat_id", how="left", validate="one_to_one")
    pictures = pd.concat([_pictures(manifest, PICTURES, dataset.parent) for manifest in images])
    facets = {
        Facet.TEXT: read_table(text, TEXTS),
        Facet.IMAGE: _named(pictures, Facet.IMAGE),
        Facet.TABULAR: read_table(embeddings, EMBEDDINGS),
        Facet.COMPIMAGE: _named(
            _pictures(composition_images, COMPOSITION_IMAGES, dataset.parent), Facet.COMPIMAGE
        ),
    }
    for table in facets.values():
        frame = frame.merge(table, on="mat_id", how="left", validate="one_to_one")
    present = {facet: frame[facet.facts.column].notna() for facet in facets}
    frame["facets"] = [[facet.value for facet in facets if present[facet][row]] for row in range(len(frame))]
    write_table(dataset, frame.sort_values("mat_id"), DATASET)
    counts = Counter(facet for names in frame["facets"] for facet in names)
    tell(f"dataset: {len(frame)} materials; with " + ", ".join(f"{f} {n}" for f, n in counts.items()))


def _pictures(manifest: Path, schema: object, home: Path) -> pd.DataFrame:
    """Read a manifest of pictures, with paths as seen from the dataset's folder."""
    table = read_table(manifest, schema, columns=["mat_id", "image", "sha256"])
    folder = Path(os.path.relpath(manifest.with_suffix(""), home))
    return table.assign(image=[(folder / name).as_posix() for name in table["image"]])


def _named(pictures: pd.DataFrame, facet: Facet) -> pd.DataFrame:
    return pictures.rename(columns={"image": facet.facts.column, "sha256": f"{facet.facts.column}_sha256"})


if __name__ == "__main__":
    from polyfacet.job import run

    run(main, globals().get("snakemake"))
