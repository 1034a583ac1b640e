"""The dataset table: every facet at its material, one column of pictures for each view."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet as pq
import pytest
import yaml
from handmade import entries

import assemble_dataset
import gather_dataset
from polyfacet.facets.registry import FULL_FACETS, GRAPH, IMAGE, TEXT, structure_picture_columns
from polyfacet.materials.crystal_objectives import GAP
from polyfacet.materials.material import SAMPLE, sample_table
from polyfacet.materials.objective_statistics import STATISTICS, statistics_of
from polyfacet.materials.stage_tables import COMPOSITION_IMAGES, EMBEDDING_SIZE, EMBEDDINGS, PICTURES, TEXTS
from polyfacet.runtime import parquet
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.files import sha256_of_file
from polyfacet.runtime.identifiers import shard_of
from polyfacet.runtime.parquet import write_table
from polyfacet.sources.alexandria.material import material_from_entry
from polyfacet.sources.tables.description import objectives_of, read_of_table, table_source
from polyfacet.sources.tables.schemas import rows_schema
from polyfacet.splits.parts import SPLIT
from polyfacet.training.dataset import read_dataset, with_labels
from polyfacet.training.row_tables import RowTables

FACETS = FULL_FACETS
MAT_IDS = ["test000", "test001", "test002"]
ABOUT = {
    "run": "small",
    "source": "crystals",
    "files": ["entries_1.json"],
    "split": "formula",
    "split_method": "formula",
    "repeat": 2,
    "seed": 42,
}
PLAIN = {"n_bonds": 1, "bonding_failure": None}


@pytest.fixture
def dataset(tmp_path: Path):
    """Give a function that makes the dataset of three materials, the last one without structure pictures."""

    def make(views: list[str], embedded: list[str] = MAT_IDS, n_shards: int = 1) -> Path:
        materials = sample_table([material_from_entry(raw) for raw in entries()[:3]], "x.json", range(3))
        ids = [{"mat_id": mat_id} for mat_id in MAT_IDS]
        numbers = np.zeros(EMBEDDING_SIZE, dtype=np.float32)
        arrangement = "montage" if len(views) == 1 else "columns"
        home, whole = tmp_path / "random-0" / "dataset", set(MAT_IDS)
        write_table(tmp_path / "sample.parquet", materials, SAMPLE)
        write_table(
            tmp_path / "split.parquet",
            [row | {"group": row["mat_id"], "part": "train"} for row in ids],
            SPLIT,
        )
        for shard in range(n_shards):
            mine = {mat_id for mat_id in whole if shard_of(mat_id, n_shards) == shard}
            folder = tmp_path / f"{n_shards}-{shard}"
            drawn = [
                row | PLAIN | {"view": view, "image": f"{view}/{row['image']}"}
                for view in views
                for row in pictures(folder / "images" / view, sorted(mine & set(MAT_IDS[:2])))
            ]
            tables: dict[str, tuple[list[dict[str, Any]], Any]] = {
                "text": ([row | {"text": "Na 1"} for row in ids if row["mat_id"] in mine], TEXTS),
                "images": (drawn, PICTURES),
                "embeddings": (
                    [{"mat_id": mat_id, "embedding": numbers} for mat_id in embedded if mat_id in mine],
                    EMBEDDINGS,
                ),
                "composition_images": (
                    pictures(folder / "composition_images", sorted(mine)),
                    COMPOSITION_IMAGES,
                ),
            }
            for name, (rows, schema) in tables.items():
                write_table(folder / f"{name}.parquet", rows, schema)
            assemble_dataset.main(
                tmp_path / "sample.parquet",
                tmp_path / "split.parquet",
                [folder / f"{name}.parquet" for name in tables],
                dataset=home / f"shard-{shard}.parquet",
                source="crystals",
                facets=[facet.name for facet in FACETS],
                shard=shard,
                n_shards=n_shards,
                structure_pictures=structure_picture_columns(views, arrangement),
            )
        parts = [home / f"shard-{shard}.parquet" for shard in range(n_shards)]
        statistics = tmp_path / "objectives.parquet"
        write_table(statistics, [statistics_of(materials.to_pandas()["gap"], GAP.objective)], STATISTICS)
        gather_dataset.main(
            parts, home / "_metadata", statistics=statistics, card=home / "_README.md", about=ABOUT
        )
        return home / "_metadata"

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
    names = [
        name for name in pq.read_schema(path.with_name("shard-0.parquet")).names if name.startswith("image")
    ]
    assert names == [name for column in columns for name in (column, f"{column}_sha256")]
    frame = read_dataset(path).set_index("mat_id")
    for view, column in zip(views, columns, strict=True):
        for mat_id in MAT_IDS[:2]:
            assert (path.parent / frame.loc[mat_id, column]).read_text() == f"{view} of {mat_id}"
        assert pd.isna(frame.loc[MAT_IDS[2], column])
    everything = [facet.name for facet in FACETS]
    without = [name for name in everything if name != "image"]
    assert [list(facets) for facets in frame["facets"]] == [everything, everything, without]


@pytest.mark.parametrize("embedded", [MAT_IDS[1:], [MAT_IDS[0], MAT_IDS[2]], MAT_IDS[:1], []])
def test_a_material_without_an_embedding_lacks_it(dataset, embedded):
    frame = read_dataset(dataset(["z"], embedded)).set_index("mat_id")
    for mat_id in MAT_IDS:
        embedding = frame.loc[mat_id, "graph"]
        assert (embedding is not None) == (mat_id in embedded)
        assert embedding is None or embedding.shape == (EMBEDDING_SIZE,)
        assert (GRAPH.name in frame.loc[mat_id, "facets"]) == (mat_id in embedded)


@pytest.fixture
def cell_rows(dataset, tmp_path):
    """Give a function that reads what a cell of some facets sees."""

    def read(facets, views=("a", "b")):
        dataset(list(views))
        names = {TEXT: "text", IMAGE: "images", GRAPH: "embeddings"}
        tables = {facet: [tmp_path / "1-0" / f"{names[facet]}.parquet"] for facet in facets}
        return RowTables(tmp_path / "sample.parquet", tmp_path / "split.parquet", ["vol_atom"], tables).read

    return read


def test_a_cell_sees_its_facets_its_objective_and_nothing_else(cell_rows):
    frame = cell_rows([TEXT, GRAPH])()
    assert list(frame.columns) == ["mat_id", "vol_atom", "group", "part", "text", "graph", "facets"]
    assert list(frame["mat_id"]) == MAT_IDS


def test_a_changed_picture_of_any_view_is_noticed(cell_rows, tmp_path):
    of_text = cell_rows([TEXT])
    (tmp_path / "1-0" / "images" / "b" / "test001.png").write_text("another")
    assert len(of_text()) == 3
    tables = {IMAGE: [tmp_path / "1-0" / "images.parquet"]}
    with pytest.raises(UserError, match=r"b/test001\.png of test001 has changed"):
        RowTables(tmp_path / "sample.parquet", tmp_path / "split.parquet", ["gap"], tables).read()


@pytest.mark.parametrize("n_shards", [1, 2, 5])
def test_rows_read_by_shard_are_those_read_at_once(dataset, tmp_path, n_shards):
    dataset(["z"], n_shards=n_shards)
    names = {TEXT: "text", IMAGE: "images", GRAPH: "embeddings"}
    folders = [tmp_path / f"{n_shards}-{shard}" for shard in range(n_shards)]
    tables = {facet: [folder / f"{name}.parquet" for folder in folders] for facet, name in names.items()}
    rows = RowTables(tmp_path / "sample.parquet", tmp_path / "split.parquet", ["vol_atom"], tables)
    pieces = list(rows.by_shard())
    assert len(pieces) == n_shards
    joined = pd.concat(pieces).sort_values("mat_id", ignore_index=True)
    pd.testing.assert_frame_equal(joined, rows.read())


PATHS = ["image", "compimage"]


def test_the_rows_do_not_depend_on_the_number_of_shards(dataset):
    """Where a picture lies does: what it is, and all else, does not."""
    frames = [
        read_dataset(dataset(["z"], n_shards=n)).sort_values("mat_id", ignore_index=True).drop(columns=PATHS)
        for n in (1, 2, 5)
    ]
    assert list(frames[0]["mat_id"]) == MAT_IDS
    for frame in frames[1:]:
        pd.testing.assert_frame_equal(frame, frames[0])


def test_the_folder_is_one_table_for_what_reads_parquet(dataset):
    folder = dataset(["z"], n_shards=5).parent
    for table in (pd.read_parquet(folder), pyarrow.dataset.dataset(folder).to_table().to_pandas()):
        assert sorted(table["mat_id"]) == MAT_IDS
    field = pyarrow.dataset.dataset(folder).schema.field("vol_atom")
    assert field.metadata[b"unit"] == b"A^3/atom"


def test_parts_of_a_run_with_more_shards_are_removed(dataset):
    folder = dataset(["z"], n_shards=5).parent
    assert dataset(["z"], n_shards=2).parent == folder
    assert sorted(path.name for path in folder.iterdir()) == [
        "_README.md",
        "_metadata",
        "shard-0.parquet",
        "shard-1.parquet",
    ]
    assert sorted(pd.read_parquet(folder)["mat_id"]) == MAT_IDS


@pytest.mark.parametrize("damage", ["missing", "cut off"])
def test_a_damaged_dataset_is_named(dataset, damage):
    path = dataset(["z"], n_shards=2)
    part = path.with_name("shard-0.parquet")
    content = part.read_bytes()
    part.unlink()
    if damage == "cut off":
        part.write_bytes(content[:200])
    with pytest.raises(UserError, match=r"dataset cannot be read .* Delete the folder"):
        read_dataset(path)


def test_the_table_of_an_objective_replaces_a_column_of_the_sample(dataset, tmp_path):
    dataset(["z"])
    sample, split, own = (tmp_path / f"{name}.parquet" for name in ("sample", "split", "gap"))
    field = parquet.column("gap", pa.float64(), "column K of the source", nullable=True)
    values = pa.table({"mat_id": MAT_IDS, "gap": [7.0, None, 9.0]})
    write_table(own, values, pa.schema([SAMPLE.field("mat_id"), field]))
    made = tmp_path / "own" / "shard-0.parquet"
    arguments = {"source": "crystals", "facets": [], "shard": 0, "n_shards": 1}
    shown = {"gap": {"label": "My gap", "unit": "eV"}}
    assemble_dataset.main(sample, split, [], made, **arguments, derived=[own], shown=shown)
    frame, schema = pd.read_parquet(made), pq.read_schema(made)
    assert frame["gap"].tolist()[::2] == [7.0, 9.0]
    assert frame["gap"].isna().tolist() == [False, True, False]
    assert frame["e_form"].notna().all()
    assert schema.field("gap").metadata == {b"meaning": b"My gap", b"unit": b"eV"}
    rows = RowTables(sample, split, ["e_form", "gap"], {}, derived=[own]).read()
    assert rows["gap"].tolist()[::2] == [7.0, 9.0]


def test_only_the_dataset_of_a_table_has_its_labels_and_units():
    section = {
        "file": "a.csv",
        "composition": {"formula": "F"},
        "objectives": {"hv": {"column": "HV", "label": "Hardness", "unit": "GPa"}},
    }
    read = table_source("steel", read_of_table(section))
    assert read == table_source("steel", read_of_table({**section, "objectives": {"hv": {"column": "HV"}}}))
    (shown,) = objectives_of(table_source("steel", section))
    said = with_labels(rows_schema(read), {"hv": shown.shown}).field("hv")
    assert said.metadata == {b"meaning": b"Hardness", b"unit": b"GPa"}
    assert (said.type, said.nullable) == (pa.float64(), True)


def test_the_folder_has_a_data_card_and_loads_with_the_datasets_library(dataset, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")
    folder = dataset(["z"], n_shards=2).parent
    card = (folder / "_README.md").read_text()
    assert yaml.safe_load(card.split("---")[1])["configs"][0]["data_files"] == "shard-*.parquet"
    assert "| source | entries\\_1.json |" in card
    assert "| materials | 3: 3 train, 0 valid, 0 test |" in card
    assert "| materials that have each facet | text 3, image 2, graph 3, compimage 3 |" in card
    assert "| `volume` | volume of the cell | A^3 | double |" in card
    assert "Band gap" in card
    given = {"data_files": f"{folder}/*.parquet", "split": "train", "cache_dir": str(tmp_path / "cache")}
    assert sorted(datasets.load_dataset("parquet", **given)["mat_id"]) == MAT_IDS
    # The folder itself, as it would be on the hub.
    whole = datasets.load_dataset(str(folder), split="train", cache_dir=str(tmp_path / "cache"))
    assert whole.num_rows == len(MAT_IDS)


def test_objectives_that_no_source_states_are_no_columns(dataset, monkeypatch):
    monkeypatch.setattr(assemble_dataset, "empty_columns", lambda path: {"gap", "formula"})
    names = pq.read_schema(dataset(["z"]).with_name("shard-0.parquet")).names
    assert "gap" not in names
    assert {"formula", "e_form"} <= set(names)


def test_columns_without_any_value_are_known_without_reading_them(tmp_path):
    rows = pd.DataFrame({"a": [1.0, None], "b": [None, None], "c": [[1.0], None]})
    schema = pa.schema(
        [pa.field("a", pa.float64()), pa.field("b", pa.float64()), pa.field("c", pa.list_(pa.float64()))]
    )
    pq.write_table(pa.Table.from_pandas(rows, schema=schema), tmp_path / "t.parquet", row_group_size=1)
    assert parquet.empty_columns(tmp_path / "t.parquet") == {"b"}
