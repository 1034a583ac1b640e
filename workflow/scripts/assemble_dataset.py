"""Align targets, facets and split of every material in one table."""

import os
from collections import Counter
from pathlib import Path

import pandas as pd
import pyarrow as pa

from polyfacet.dataset import dataset_schema
from polyfacet.facets import DIGEST_SUFFIX, Facet, picture_columns
from polyfacet.materials import SAMPLE
from polyfacet.progress import tell
from polyfacet.splitting import SPLIT
from polyfacet.stage_tables import COMPOSITION_IMAGES, EMBEDDINGS, PICTURES, TEXTS
from polyfacet.tables import read_table, write_table


def main(
    sample: Path,
    split: Path,
    text: list[Path],
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
        Tables of the facets, the texts perhaps in shards; a material that a facet's stage rejected is not in
        that facet's table.
    images
        Manifests of the shards of pictures; ``x.parquet`` lists what is in the folder ``x``.
    dataset
        Output.
    """
    frame = read_table(sample, SAMPLE).drop(columns=["structure", "source_file", "source_position"])
    frame = frame.merge(read_table(split, SPLIT), on="mat_id", how="left", validate="one_to_one")
    facets = {
        Facet.TEXT: pd.concat([read_table(table, TEXTS) for table in text]),
        Facet.IMAGE: _structure_pictures(images, dataset.parent),
        Facet.TABULAR: read_table(embeddings, EMBEDDINGS),
        Facet.COMPIMAGE: _named(
            _pictures(composition_images, COMPOSITION_IMAGES, dataset.parent), Facet.COMPIMAGE.facts.column
        ),
    }
    for table in facets.values():
        frame = frame.merge(table, on="mat_id", how="left", validate="one_to_one")
    present = {
        facet: frame[table.columns.drop("mat_id")].notna().all(axis="columns")
        for facet, table in facets.items()
    }
    frame["facets"] = [[facet.value for facet in facets if present[facet][row]] for row in range(len(frame))]
    schema = dataset_schema(picture_columns(Facet.IMAGE, frame.columns))
    write_table(dataset, frame.sort_values("mat_id"), schema)
    counts = Counter(facet for names in frame["facets"] for facet in names)
    tell(f"dataset: {len(frame)} materials; with " + ", ".join(f"{f} {n}" for f, n in counts.items()))


def _structure_pictures(manifests: list[Path], home: Path) -> pd.DataFrame:
    """Read the manifests of the structures' pictures: a row a material, a column a view."""
    pictures = pd.concat([_pictures(manifest, PICTURES, home) for manifest in manifests])
    name = Facet.IMAGE.facts.column
    by_view = [(view, table.drop(columns="view")) for view, table in pictures.groupby("view", sort=False)]
    if len(by_view) <= 1:
        return _named(pictures.drop(columns="view"), name)
    columns = [_named(table, f"{name}_{view}").set_index("mat_id") for view, table in by_view]
    return pd.concat(columns, axis="columns").reset_index()


def _pictures(manifest: Path, schema: pa.Schema, home: Path) -> pd.DataFrame:
    """Read a manifest of pictures, with paths as seen from the dataset's folder."""
    wanted = [name for name in ("mat_id", "view", "image", "sha256") if name in schema.names]
    table = read_table(manifest, schema, columns=wanted)
    folder = Path(os.path.relpath(manifest.with_suffix(""), home))
    return table.assign(image=[(folder / name).as_posix() for name in table["image"]])


def _named(pictures: pd.DataFrame, column: str) -> pd.DataFrame:
    return pictures.rename(columns={"image": column, "sha256": f"{column}{DIGEST_SUFFIX}"})


if __name__ == "__main__":
    from polyfacet.job import run

    run(main, globals().get("snakemake"))
