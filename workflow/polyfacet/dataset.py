"""The aligned table of all facets and targets: the product that other people reuse."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa

from polyfacet.errors import UserError
from polyfacet.facets import PICTURE_FACETS, Facet
from polyfacet.files import sha256_of_file
from polyfacet.materials import IDENTITY_COLUMNS, TARGET_COLUMNS
from polyfacet.stage_tables import EMBEDDING
from polyfacet.tables import column, read_table

DATASET = pa.schema(
    [
        *IDENTITY_COLUMNS,
        *TARGET_COLUMNS,
        column("text", pa.string(), "composition in words", nullable=True),
        column("image", pa.string(), "picture of the structure, path from this file's folder", nullable=True),
        column("image_sha256", pa.string(), "digest of that picture", nullable=True),
        column("embedding", EMBEDDING, "PotNet embedding of the structure", nullable=True),
        column("compimage", pa.string(), "composition image, path from this file's folder", nullable=True),
        column("compimage_sha256", pa.string(), "digest of that image", nullable=True),
        column("facets", pa.list_(pa.string()), "facets that this material has"),
        column("part", pa.string(), "train or test"),
    ]
)


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
    frame = read_table(path, DATASET)
    for facet in PICTURE_FACETS:
        if facet not in facets:
            continue
        name = facet.facts.column
        present = frame[name].notna()
        frame.loc[present, name] = [
            str(_checked_picture(path.parent / relative, digest, mat_id))
            for relative, digest, mat_id in frame.loc[present, [name, f"{name}_sha256", "mat_id"]].itertuples(
                index=False
            )
        ]
    return frame


def _checked_picture(path: Path, digest: str, mat_id: str) -> Path:
    if not path.is_file():
        raise UserError(f"the picture {path} of {mat_id} is missing. Delete its folder and run again.")
    if sha256_of_file(path) != digest:
        raise UserError(f"the picture {path} of {mat_id} has changed. Delete its folder and run again.")
    return path.resolve()
