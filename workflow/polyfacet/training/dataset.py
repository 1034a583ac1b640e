"""The aligned table of all facets and targets: the product that other people reuse.

It is a folder of Parquet files, one for each shard, and a file ``_metadata`` that lists them; what reads
Parquet reads the folder as one table.
"""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow.dataset import parquet_dataset

from polyfacet.facets.registry import DIGEST_SUFFIX, PICTURE_FACETS, Facet, facet_columns, picture_columns
from polyfacet.materials.material import IDENTITY_COLUMNS, TARGET_COLUMNS
from polyfacet.materials.stage_tables import EMBEDDING_SIZE
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.files import atomic_path, sha256_of_file
from polyfacet.runtime.parquet import column
from polyfacet.splits.parts import GROUP


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
            GROUP,
            column("part", pa.string(), "train or test"),
        ]
    )


def picture_fields(name: str, meaning: str) -> list[pa.Field]:
    """Declare the columns of a picture: its path and its digest."""
    return [
        column(name, pa.string(), f"{meaning}, path from this file's folder", nullable=True),
        column(f"{name}{DIGEST_SUFFIX}", pa.string(), f"digest of {name}", nullable=True),
    ]


def write_dataset_metadata(path: Path, parts: Sequence[Path]) -> None:
    """Write the file that makes one table of several: Parquet's own list of parts, in their order.

    Parameters
    ----------
    path
        Output, named ``_metadata``, which readers of a folder of tables do not take for a table.
    parts
        The tables, in the same folder; all of one schema.
    """
    footers = []
    for part in parts:
        footer = pq.read_metadata(part)
        footer.set_file_path(part.name)
        footers.append(footer)
    with atomic_path(path) as written:
        pq.write_metadata(pq.read_schema(parts[0]), written, metadata_collector=footers)


def read_dataset(path: Path, facets: Sequence[Facet]) -> pd.DataFrame:
    """Read the table, ordered by mat_id; pictures are absolute paths of files that are known to be unchanged.

    Parameters
    ----------
    path, facets
        See `read_rows`; all pictures of the facets are looked at.

    Raises
    ------
    UserError
        If the dataset is damaged, or a picture is missing or is not the one that the table was made with.
    """
    return with_checked_pictures(read_rows(path, facets), path.parent)


def read_rows(path: Path, facets: Sequence[Facet]) -> pd.DataFrame:
    """Read the table, ordered by mat_id, and look at no picture; their paths are relative to its folder.

    Parameters
    ----------
    path
        The file ``_metadata`` of the dataset; its parts are found from its folder.
    facets
        Only these are read, beside identity, targets and part.

    Raises
    ------
    UserError
        If the dataset is damaged.
    """
    try:
        parts = parquet_dataset(path)
        schema = dataset_schema(picture_columns(Facet.IMAGE, parts.schema.names))
        if not parts.schema.equals(schema):
            raise UserError(f"{path.parent} is not of this version. Delete the folder and run again.")
        unasked = [
            name for facet in Facet if facet not in facets for name in facet_columns(facet, schema.names)
        ]
        columns = [name for name in schema.names if name not in unasked]
        frame = parts.to_table(columns=columns).to_pandas()
    except (pa.ArrowException, OSError) as error:
        raise UserError(
            f"{path.parent} cannot be read ({error}). Delete the folder and run again."
        ) from error
    return frame.sort_values("mat_id", ignore_index=True)


def with_checked_pictures(frame: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """Give the pictures of a table as absolute paths instead of relative to a folder; see `read_dataset`."""
    for name in [name for facet in PICTURE_FACETS for name in picture_columns(facet, frame.columns)]:
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
