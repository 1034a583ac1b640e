"""Facet tables aligned by material: the facet columns of models and of the dataset.

The stage of each facet writes its own tables, one per shard, without the materials that it rejected.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from polyfacet.facets.declaration import Facet
from polyfacet.facets.registry import (
    DIGEST_SUFFIX,
    GRAPH,
    crystal_column,
    encoding_column,
    shown_columns,
)
from polyfacet.materials.stage_tables import ENCODINGS
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.files import sha256_of_file
from polyfacet.runtime.parquet import column, meaning_of, read_table
from polyfacet.splits.hidden_facets import HiddenFacets


def facet_fields(facet: Facet, structure_pictures: Sequence[str] = ("image",)) -> list[pa.Field]:
    """Declare the columns of a facet in the dataset.

    Parameters
    ----------
    facet
        The facet.
    structure_pictures
        Columns of the structure pictures: ``image``, or one per view (``image_a``, ``image_b``).
    """
    name, label = facet.name, facet.label
    match facet.kind:
        case "text":
            return [column(name, pa.string(), label, nullable=True)]
        case "image":
            shown = structure_pictures if facet.stage and facet.stage.has_views else [name]
            return [field for each in shown for field in _picture_fields(each, label)]
        case _:
            # Not a list of fixed size: Arrow cannot read back such a column with missing values.
            number = _number_of(facet)
            return [column(name, pa.list_(number), label, nullable=True)]


def read_facet(facet: Facet, tables: Sequence[Path]) -> pd.DataFrame:
    """Read the tables of a facet: ``mat_id`` and the facet's columns; pictures as absolute paths.

    Parameters
    ----------
    facet
        The facet.
    tables
        Its tables, one per shard; ``x.parquet`` lists the pictures in the folder ``x``.
    """
    stage = facet.stage
    if stage is None:
        return pd.concat([read_table(path, columns=["mat_id", facet.name]) for path in tables])
    if stage.has_views:
        return _by_view(_pictures(tables, stage.schema), facet.name)
    if stage.has_pictures:
        return _named(_pictures(tables, stage.schema), facet.name)
    return _all(tables, stage.schema).rename(columns={stage.column: facet.name})


def tables_by_facet(
    facets: Sequence[Facet], tables: Sequence[Path], sample: Path
) -> dict[Facet, Sequence[Path]]:
    """Assign tables to facets.

    Parameters
    ----------
    facets
        The facets.
    tables
        Tables of the facets that have a stage, in their order, the same number for each.
    sample
        Table of the materials, which contains the other facets.

    Raises
    ------
    ValueError
        If the tables cannot be divided evenly among the facets.
    """
    staged = [facet for facet in facets if facet.stage is not None]
    n = len(tables) // len(staged) if staged else 0
    if n * len(staged) != len(tables):
        raise ValueError(f"{len(tables)} tables cannot be divided evenly among {len(staged)} facets")
    own = {facet: tables[i * n : (i + 1) * n] for i, facet in enumerate(staged)}
    return {facet: own.get(facet, [sample]) for facet in facets}


def with_facets(materials: pd.DataFrame, tables: Mapping[Facet, Sequence[Path]]) -> pd.DataFrame:
    """Add facets to materials, and the column ``facets``, which lists those that each material has.

    Parameters
    ----------
    materials
        Rows with ``mat_id``.
    tables
        Tables of each facet.

    Returns
    -------
    pandas.DataFrame
        The same rows in the same order; facets that a material lacks are missing values.
    """
    frame = materials
    present: dict[Facet, pd.Series] = {}
    for facet, paths in tables.items():
        table = read_facet(facet, paths)
        frame = frame.merge(table, on="mat_id", how="left", validate="one_to_one")
        present[facet] = frame[table.columns.drop("mat_id")].notna().all(axis="columns")
    had = [[facet.name for facet in present if present[facet][row]] for row in frame.index]
    return frame.assign(facets=pd.Series(had, frame.index, dtype=object))


def with_encodings(materials: pd.DataFrame, encodings: Mapping[Facet, pa.Table]) -> pd.DataFrame:
    """Add frozen encodings to materials, in a column per facet; missing where a material lacks the facet.

    Parameters
    ----------
    materials
        Rows with ``mat_id``.
    encodings
        Facet to the table of its encodings, which may have those of other materials.
    """
    for facet, table in encodings.items():
        is_wanted = pc.field("mat_id").isin(pa.array(materials["mat_id"], pa.string()))
        own = table.filter(is_wanted).to_pandas().rename(columns={"encoding": encoding_column(facet)})
        materials = materials.merge(own, on="mat_id", how="left", validate="one_to_one")
    return materials


def with_crystal_graphs(materials: pd.DataFrame, tables: Sequence[Path]) -> pd.DataFrame:
    """Add the crystal graphs of materials, as rows of their tables; None where a material has none.

    Parameters
    ----------
    materials
        Rows with ``mat_id``.
    tables
        Tables of graphs.
    """
    wanted = set(materials["mat_id"])
    found = {
        row["mat_id"]: row
        for path in tables
        for row in read_table(path).to_dict("records")
        if row["mat_id"] in wanted
    }
    graphs = pd.Series([found.get(name) for name in materials["mat_id"]], materials.index, dtype=object)
    return materials.assign(**{crystal_column(GRAPH): graphs})


def without_hidden(frame: pd.DataFrame, facets: Sequence[Facet], hidden: HiddenFacets | None) -> pd.DataFrame:
    """Remove hidden facets from materials, with their encodings and the digests of their pictures.

    Parameters
    ----------
    frame
        Rows with ``mat_id``, ``part``, ``facets`` and the columns of the facets.
    facets
        The facets.
    hidden
        Which of them are hidden; None hides nothing.
    """
    if hidden is None:
        return frame
    left = [list(present) for present in frame["facets"]]
    for facet in facets:
        is_hidden = hidden.hides(facet.base, list(frame["mat_id"]), list(frame["part"]))
        left = [
            [name for name in present if name != facet.name] if hides else present
            for present, hides in zip(left, is_hidden, strict=True)
        ]
        shown = shown_columns(facet, frame.columns)
        digests = [f"{name}{DIGEST_SUFFIX}" for name in shown]
        for name in (*shown, *digests, encoding_column(facet), crystal_column(facet)):
            if name in frame:
                frame = frame.assign(**{name: frame[name].astype(object).mask(is_hidden, None)})
    return frame.assign(facets=pd.Series(left, frame.index, dtype=object))


def label_of_encodings(path: Path) -> str:
    """Return how the numbers of a table of encodings are made.

    Raises
    ------
    UserError
        If the file is damaged; the message says that it can be deleted.
    """
    return meaning_of(path, ENCODINGS.field("encoding").name)


def check_pictures(frame: pd.DataFrame, facets: Sequence[Facet]) -> None:
    """Check that the pictures of a table exist and have not changed since the table was written.

    Raises
    ------
    UserError
        If a picture is missing or has changed; the message names the file and the material.
    """
    pictures = [facet for facet in facets if facet.kind == "image"]
    for name in (name for facet in pictures for name in shown_columns(facet, frame.columns)):
        rows = frame.loc[frame[name].notna(), [name, f"{name}{DIGEST_SUFFIX}", "mat_id"]]
        for path, digest, mat_id in rows.itertuples(index=False):
            _check_picture(Path(path), digest, mat_id)


def relative_pictures(frame: pd.DataFrame, home: Path) -> pd.DataFrame:
    """Return the table with paths of pictures relative to a folder."""
    names = [name.removesuffix(DIGEST_SUFFIX) for name in frame.columns if name.endswith(DIGEST_SUFFIX)]
    # One file system call per folder instead of one per picture.
    folders: dict[Path, str] = {}

    def relative(path: str | None) -> str | None:
        if not isinstance(path, str):
            return None
        parent = Path(path).parent
        if parent not in folders:
            folders[parent] = Path(os.path.relpath(parent, home.resolve())).as_posix()
        return f"{folders[parent]}/{Path(path).name}"

    return frame.assign(**{name: frame[name].map(relative) for name in names})


def _check_picture(path: Path, digest: str, mat_id: str) -> None:
    if not path.is_file():
        raise UserError(f"the picture {path} of {mat_id} is missing. Delete its folder and run again.")
    if sha256_of_file(path) != digest:
        raise UserError(f"the picture {path} of {mat_id} has changed. Delete its folder and run again.")


def _picture_fields(name: str, label: str) -> list[pa.Field]:
    return [
        column(name, pa.string(), f"{label}, path from this file's folder", nullable=True),
        column(f"{name}{DIGEST_SUFFIX}", pa.string(), f"digest of {name}", nullable=True),
    ]


def _number_of(facet: Facet) -> pa.DataType:
    """Return the type of a vector's numbers; columns of the materials table keep their precision."""
    return facet.stage.schema.field(facet.stage.column).type.value_type if facet.stage else pa.float64()


def _all(tables: Sequence[Path], schema: pa.Schema) -> pd.DataFrame:
    return pd.concat([read_table(path, schema) for path in tables], ignore_index=True)


def _pictures(manifests: Sequence[Path], schema: pa.Schema) -> pd.DataFrame:
    """Read manifests of pictures, with absolute paths."""
    wanted = [name for name in ("mat_id", "view", "image", "sha256") if name in schema.names]
    read = []
    for manifest in manifests:
        folder = manifest.with_suffix("").resolve().as_posix()
        table = read_table(manifest, schema, columns=wanted)
        read.append(table.assign(image=[f"{folder}/{name}" for name in table["image"]]))
    return pd.concat(read, ignore_index=True)


def _by_view(pictures: pd.DataFrame, name: str) -> pd.DataFrame:
    """Pivot the structure pictures: one row per material, one column per view."""
    views = sorted(pictures["view"].unique())
    if len(views) < 2:
        return _named(pictures.drop(columns="view"), name)
    by_view = [
        _named(pictures[pictures["view"] == view].drop(columns="view"), f"{name}_{view}").set_index("mat_id")
        for view in views
    ]
    return pd.concat(by_view, axis="columns").reset_index()


def _named(pictures: pd.DataFrame, name: str) -> pd.DataFrame:
    return pictures.rename(columns={"image": name, "sha256": f"{name}{DIGEST_SUFFIX}"})
