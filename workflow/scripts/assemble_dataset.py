"""Align targets, facets and split of every material of a shard in one table."""

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import pandas as pd
import pyarrow as pa

from polyfacet.facets.image.settings import Arrangement, View
from polyfacet.facets.registry import DIGEST_SUFFIX, Facet, structure_picture_columns
from polyfacet.materials.material import SAMPLE
from polyfacet.materials.stage_tables import COMPOSITION_IMAGES, EMBEDDINGS, PICTURES, TEXTS
from polyfacet.runtime.arguments import Key
from polyfacet.runtime.parquet import read_table, write_table
from polyfacet.runtime.progress import tell
from polyfacet.runtime.sharding import read_shard
from polyfacet.splits.parts import SPLIT
from polyfacet.training.dataset import dataset_schema


def main(
    sample: Path,
    split: Path,
    text: Path,
    images: Path,
    embeddings: Path,
    composition_images: Path,
    dataset: Path,
    *,
    shard: int,
    n_shards: Annotated[int, Key("shards")],
    views: Annotated[Sequence[View], Key("images.views")],
    arrangement: Arrangement,
) -> None:
    """Write the dataset's part of one shard.

    Parameters
    ----------
    sample, split
        Tables of the sampled materials and their parts.
    text, images, embeddings, composition_images
        Tables of the shard's facets; a material that a facet's stage rejected is not in that facet's table.
        ``x.parquet`` lists the pictures in the folder ``x``.
    dataset
        Output.
    shard, n_shards
        Which materials of the sample: those whose hash falls into this shard.
    views, arrangement
        See `polyfacet.facets.image.settings.RenderSettings`; they say which columns of pictures there are.
    """
    columns = [name for name in SAMPLE.names if name not in ("structure", "source_file", "source_position")]
    frame = read_shard(sample, SAMPLE, int(shard), n_shards, columns)
    parts = read_shard(split, SPLIT, int(shard), n_shards)
    frame = frame.merge(parts, on="mat_id", how="left", validate="one_to_one")
    shown = structure_picture_columns(views, arrangement)
    facets = {
        Facet.TEXT: read_table(text, TEXTS),
        Facet.IMAGE: _structure_pictures(_pictures(images, PICTURES, dataset.parent), shown),
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
    had = [[facet.value for facet in facets if present[facet][row]] for row in frame.index]
    frame["facets"] = pd.Series(had, frame.index, dtype=object)
    write_table(dataset, frame.sort_values("mat_id"), dataset_schema(shown))
    counts = Counter(facet for names in frame["facets"] for facet in names)
    tell(f"dataset {shard}: {len(frame)} materials; with " + ", ".join(f"{f} {n}" for f, n in counts.items()))


def _structure_pictures(pictures: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Give the structures' pictures a row a material, a column a view."""
    if len(columns) == 1:
        return _named(pictures.drop(columns="view"), columns[0])
    by_view = dict(list(pictures.drop(columns="view").groupby("image_" + pictures["view"])))
    nothing = pictures.iloc[:0].drop(columns="view")
    named = [_named(by_view.get(column, nothing), column).set_index("mat_id") for column in columns]
    return pd.concat(named, axis="columns").reset_index()


def _pictures(manifest: Path, schema: pa.Schema, home: Path) -> pd.DataFrame:
    """Read a manifest of pictures, with paths as seen from the dataset's folder."""
    wanted = [name for name in ("mat_id", "view", "image", "sha256") if name in schema.names]
    table = read_table(manifest, schema, columns=wanted)
    folder = Path(os.path.relpath(manifest.with_suffix(""), home))
    return table.assign(image=[(folder / name).as_posix() for name in table["image"]])


def _named(pictures: pd.DataFrame, column: str) -> pd.DataFrame:
    return pictures.rename(columns={"image": column, "sha256": f"{column}{DIGEST_SUFFIX}"})


if __name__ == "__main__":
    from polyfacet.config.entry_point import run

    run(main, globals().get("snakemake"))
