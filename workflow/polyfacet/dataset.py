"""The aligned table of all facets and targets: the product that other people reuse."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa

from polyfacet.errors import UserError
from polyfacet.facets import DIGEST_SUFFIX, PICTURE_FACETS, Facet, picture_columns
from polyfacet.files import sha256_of_file
from polyfacet.materials import IDENTITY_COLUMNS, TARGET_COLUMNS
from polyfacet.stage_tables import EMBEDDING_SIZE
from polyfacet.tables import column, column_names, read_table


def dataset_schema(structure_pictures: Sequence[str]) -> pa.Schema:
    """Declare the table.

    Parameters
    ----------
    structure_pictures
        Columns of the structures' pictures: ``image``, or one for each view (``image_a``, ``image_b``).
    """
    return pa.schema(
        [
            *IDENTITY_COLUMNS,
            *TARGET_COLUMNS,
            column("text", pa.string(), "text of the material, in the form the run chose", nullable=True),
            *(
                field
                for name in structure_pictures
                for field in picture_fields(name, "picture of the structure")
            ),
            # A list of fixed size cannot be missing: Arrow does not read such a column back.
            column(
                "embedding",
                pa.list_(pa.float32()),
                f"PotNet embedding of the structure, {EMBEDDING_SIZE} numbers",
                nullable=True,
            ),
            *picture_fields(Facet.COMPIMAGE.facts.column, "composition image"),
            column("facets", pa.list_(pa.string()), "facets that this material has"),
            column("part", pa.string(), "train or test"),
        ]
    )


def picture_fields(name: str, meaning: str) -> list[pa.Field]:
    """Declare the columns of a picture: its path and its digest."""
    return [
        column(name, pa.string(), f"{meaning}, path from this file's folder", nullable=True),
        column(f"{name}{DIGEST_SUFFIX}", pa.string(), f"digest of {name}", nullable=True),
    ]


def read_dataset(path: Path, facets: Sequence[Facet]) -> pd.DataFrame:
    """Read the table with the facets' pictures as absolute paths, after checking that they are unchanged.

    Parameters
    ----------
    path
        The dataset file; pictures are found from its folder.
    facets
        Only the pictures of these are looked at.

    Raises
    ------
    UserError
        If a picture is missing or is not the one that the table was made with.
    """
    frame = read_table(path, dataset_schema(picture_columns(Facet.IMAGE, column_names(path))))
    return with_checked_pictures(frame, path.parent, facets)


def with_checked_pictures(frame: pd.DataFrame, folder: Path, facets: Sequence[Facet]) -> pd.DataFrame:
    """Give the facets' pictures as absolute paths instead of relative to a folder; see `read_dataset`."""
    shown = [facet for facet in PICTURE_FACETS if facet in facets]
    for name in [name for facet in shown for name in picture_columns(facet, frame.columns)]:
        present = frame[name].notna()
        rows = frame.loc[present, [name, f"{name}{DIGEST_SUFFIX}", "mat_id"]]
        frame.loc[present, name] = [
            str(_checked_picture(folder / relative, digest, mat_id))
            for relative, digest, mat_id in rows.itertuples(index=False)
        ]
    return frame


def _checked_picture(path: Path, digest: str, mat_id: str) -> Path:
    if not path.is_file():
        raise UserError(f"the picture {path} of {mat_id} is missing. Delete its folder and run again.")
    if sha256_of_file(path) != digest:
        raise UserError(f"the picture {path} of {mat_id} has changed. Delete its folder and run again.")
    return path.resolve()
