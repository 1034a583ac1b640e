"""The dataset table: every facet at its material, one column of pictures for each view."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from handmade import entries

import assemble_dataset
from polyfacet.dataset import read_dataset
from polyfacet.errors import UserError
from polyfacet.facets import Facet
from polyfacet.files import sha256_of_file
from polyfacet.materials import SAMPLE, material_from_entry
from polyfacet.splitting import SPLIT
from polyfacet.stage_tables import COMPOSITION_IMAGES, EMBEDDING_SIZE, EMBEDDINGS, PICTURES, TEXTS
from polyfacet.tables import write_table

MAT_IDS = ["test000", "test001", "test002"]
PLAIN = {"n_bonds": 1, "bonding_failure": None}


@pytest.fixture
def dataset(tmp_path: Path):
    """Give a function that makes the dataset of three materials, the last one without structure pictures."""

    def make(views: list[str], embedded: list[str] = MAT_IDS) -> Path:
        materials = [material_from_entry(raw).row("x.json", i) for i, raw in enumerate(entries()[:3])]
        ids = [{"mat_id": mat_id} for mat_id in MAT_IDS]
        numbers = np.zeros(EMBEDDING_SIZE, dtype=np.float32)
        tables: dict[str, tuple[list[dict[str, Any]], Any]] = {
            "sample": (materials, SAMPLE),
            "split": ([row | {"part": "train"} for row in ids], SPLIT),
            "text": ([row | {"text": "Na 1"} for row in ids], TEXTS),
            "embeddings": ([{"mat_id": mat_id, "embedding": numbers} for mat_id in embedded], EMBEDDINGS),
            "composition_images": (pictures(tmp_path / "composition_images", MAT_IDS), COMPOSITION_IMAGES),
        }
        for shard, mat_id in enumerate(MAT_IDS[:2]):
            folder = tmp_path / f"images-{shard}"
            rows = [
                row | PLAIN | {"view": view, "image": f"{view}/{row['image']}"}
                for view in views
                for row in pictures(folder / view, [mat_id])
            ]
            tables[folder.name] = (rows, PICTURES)
        for name, (rows, schema) in tables.items():
            write_table(tmp_path / f"{name}.parquet", rows, schema)
        shards = [tmp_path / f"images-{shard}.parquet" for shard in range(2)]
        names = ("sample", "split", "embeddings", "composition_images")
        files = {name: tmp_path / f"{name}.parquet" for name in names}
        path = tmp_path / "split-0" / "dataset.parquet"
        assemble_dataset.main(**files, text=[tmp_path / "text.parquet"], images=shards, dataset=path)
        return path

    return make


def pictures(folder: Path, mat_ids: list[str]) -> list[dict[str, Any]]:
    """Write a file for each material."""
    folder.mkdir(parents=True)
    rows = []
    for mat_id in mat_ids:
        path = folder / f"{mat_id}.png"
        path.write_text(f"{folder.name} of {mat_id}")
        rows.append({"mat_id": mat_id, "image": path.name, "sha256": sha256_of_file(path)})
    return rows


@pytest.mark.parametrize(
    ("views", "columns"),
    [(["z"], ["image"]), (["a+b"], ["image"]), (["c", "a"], ["image_c", "image_a"])],
)
def test_each_view_has_a_column_beside_its_digest(dataset, views, columns):
    path = dataset(views)
    names = [name for name in pq.read_schema(path).names if name.startswith("image")]
    assert names == [name for column in columns for name in (column, f"{column}_sha256")]
    frame = read_dataset(path, list(Facet)).set_index("mat_id")
    for view, column in zip(views, columns, strict=True):
        for mat_id in MAT_IDS[:2]:
            assert Path(frame.loc[mat_id, column]).read_text() == f"{view} of {mat_id}"
        assert pd.isna(frame.loc[MAT_IDS[2], column])
    everything = [facet.value for facet in Facet]
    without = [name for name in everything if name != "image"]
    assert [list(facets) for facets in frame["facets"]] == [everything, everything, without]


@pytest.mark.parametrize("embedded", [MAT_IDS[1:], [MAT_IDS[0], MAT_IDS[2]], MAT_IDS[:1], []])
def test_a_material_without_an_embedding_lacks_it(dataset, embedded):
    frame = read_dataset(dataset(["z"], embedded), [Facet.TABULAR]).set_index("mat_id")
    for mat_id in MAT_IDS:
        embedding = frame.loc[mat_id, "embedding"]
        assert (embedding is not None) == (mat_id in embedded)
        assert embedding is None or embedding.shape == (EMBEDDING_SIZE,)
        assert (Facet.TABULAR.value in frame.loc[mat_id, "facets"]) == (mat_id in embedded)


def test_a_changed_picture_of_any_view_is_noticed(dataset, tmp_path):
    path = dataset(["a", "b"])
    (tmp_path / "images-1" / "b" / "test001.png").write_text("another")
    read_dataset(path, [Facet.TEXT])
    with pytest.raises(UserError, match=r"b/test001\.png of test001 has changed"):
        read_dataset(path, [Facet.IMAGE])
