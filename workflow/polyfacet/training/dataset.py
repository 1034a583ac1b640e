"""The aligned rows of a split as a dataset for others to reuse.

The dataset is a folder of Parquet files, one per shard, with a file ``_metadata`` that lists them; Parquet
readers see the folder as one table.  Cells read the tables of their own facets instead
(`polyfacet.training.row_tables`), so that adding or changing a facet reruns only the cells that use it.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow.dataset import parquet_dataset

from polyfacet.facets.aligned import facet_fields
from polyfacet.facets.declaration import Facet
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.files import atomic_path
from polyfacet.runtime.parquet import column
from polyfacet.splits.parts import GROUP, PART

# Columns of a sample that are useless to a model: other statements of the source, and its origin.
NOT_LEARNED_FROM = ("structure", "data", "source_file", "source_position", "line")
FACETS = column("facets", pa.list_(pa.string()), "facets that this material has")


def dataset_schema(
    sample: pa.Schema,
    facets: Sequence[Facet],
    structure_pictures: Sequence[str] = ("image",),
    derived: Sequence[pa.Field] = (),
) -> pa.Schema:
    """Declare the dataset of a source.

    Parameters
    ----------
    sample
        Schema of the source's materials.
    facets
        Facets in it.
    structure_pictures
        See `polyfacet.facets.aligned.facet_fields`.
    derived
        Columns of objectives that have a table of their own; they replace columns of the sample.
    """
    own = {facet.name for facet in facets} | {field.name for field in derived}
    kept = [field for field in sample if field.name not in (*NOT_LEARNED_FROM, *own)]
    shown = [field for facet in facets for field in facet_fields(facet, structure_pictures)]
    return pa.schema([*kept, *derived, *shown, FACETS, GROUP, PART])


def with_labels(schema: pa.Schema, shown: Mapping[str, Mapping[str, str]]) -> pa.Schema:
    """Add the labels and units of objectives to a dataset's schema, by column."""
    for name, each in shown.items():
        field = schema.field(name)
        said = column(name, field.type, each["label"], each["unit"], field.nullable)
        schema = schema.set(schema.get_field_index(name), said)
    return schema


def read_dataset(path: Path) -> pd.DataFrame:
    """Read the entire dataset; paths of pictures are relative to its folder.

    Parameters
    ----------
    path
        The file ``_metadata`` of the dataset.

    Raises
    ------
    UserError
        If the dataset is damaged.
    """
    try:
        return parquet_dataset(path).to_table().to_pandas()
    except (pa.ArrowException, OSError) as error:
        raise UserError(
            f"{path.parent} cannot be read ({error}). Delete the folder and run again."
        ) from error


def write_dataset_metadata(path: Path, parts: Sequence[Path]) -> None:
    """Write the file that combines several tables into one: Parquet's own list of parts, in order.

    Parameters
    ----------
    path
        Output, named ``_metadata``, which readers of a folder of tables do not mistake for a table.
    parts
        The tables, all in the same folder and with the same schema.
    """
    footers = []
    for part in parts:
        footer = pq.read_metadata(part)
        footer.set_file_path(part.name)
        footers.append(footer)
    with atomic_path(path) as written:
        pq.write_metadata(pq.read_schema(parts[0]), written, metadata_collector=footers)
