"""The aligned rows that cells learn from, and the same rows as a dataset for others to reuse.

The dataset is a folder of Parquet files, one per shard, with a file ``_metadata`` that lists them; Parquet
readers see the folder as one table.  Cells read the tables of their own facets instead, so that adding or
changing a facet reruns only the cells that use it.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow.dataset import parquet_dataset

from polyfacet.facets.aligned import (
    check_pictures,
    facet_fields,
    with_crystal_graphs,
    with_encodings,
    with_facets,
    without_hidden,
)
from polyfacet.facets.compimage.statistics_table import with_statistics
from polyfacet.facets.declaration import Facet
from polyfacet.materials.derived_objectives import with_derived
from polyfacet.materials.stage_tables import ENCODINGS
from polyfacet.runtime.errors import UserError
from polyfacet.runtime.files import atomic_path
from polyfacet.runtime.identifiers import shard_of
from polyfacet.runtime.parquet import column, column_names, read_arrow, read_table
from polyfacet.splits.hidden_facets import HiddenFacets
from polyfacet.splits.parts import GROUP, PART, SPLIT

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


def read_cell_rows(
    sample: Path,
    split: Path,
    objectives: Sequence[str],
    tables: Mapping[Facet, Sequence[Path]],
    statistics: Sequence[Path] = (),
    derived: Sequence[Path] = (),
    encodings: Mapping[Facet, Path] = MappingProxyType({}),
    hidden: HiddenFacets | None = None,
    graphs: Sequence[Path] = (),
) -> pd.DataFrame:
    """Read the objectives, facets and parts that cells need, ordered by mat_id; pictures are absolute paths.

    Parameters
    ----------
    sample, split
        Tables of the source's materials and of their parts; a material without a part is left out.
    objectives
        Columns to predict.
    tables
        Facet to its tables, one per shard.
    statistics
        Tables of composition statistics, for engines that use them.
    derived
        Tables of the objectives that are not in the sample.
    encodings
        Facet to the table of its frozen encodings, for engines that read them.
    hidden
        Facets that the rows do not show.
    graphs
        Tables of crystal graphs, for engines that train a network on them.

    Raises
    ------
    UserError
        If a table is damaged, or a picture is missing or differs from the one recorded in the table.
    """
    materials = _with_parts(sample, split, objectives, derived)
    return _aligned(materials, tables, statistics, _read_all(encodings), hidden, graphs)


def read_cell_rows_by_shard(
    sample: Path,
    split: Path,
    objectives: Sequence[str],
    tables: Mapping[Facet, Sequence[Path]],
    statistics: Sequence[Path] = (),
    derived: Sequence[Path] = (),
    encodings: Mapping[Facet, Path] = MappingProxyType({}),
    hidden: HiddenFacets | None = None,
    graphs: Sequence[Path] = (),
) -> Iterator[pd.DataFrame]:
    """Read what `read_cell_rows` reads, one shard after the other.

    In memory are identifiers, groups, objectives and frozen encodings of all materials, and the facets of
    those of a shard.
    """
    materials = _with_parts(sample, split, objectives, derived)
    numbers = _read_all(encodings)
    n_shards = max((len(paths) for facet, paths in tables.items() if facet.stage), default=1)
    shards = np.array([shard_of(mat_id, n_shards) for mat_id in materials["mat_id"]])
    for shard in range(n_shards):
        rows = materials[shards == shard].reset_index(drop=True)
        own = {facet: [paths[shard]] if facet.stage else paths for facet, paths in tables.items()}
        every = slice(None) if n_shards == 1 else slice(shard, shard + 1)
        yield _aligned(rows, own, statistics[every], numbers, hidden, graphs[every])


def _with_parts(
    sample: Path, split: Path, objectives: Sequence[str], derived: Sequence[Path]
) -> pd.DataFrame:
    """Read objectives, groups and parts of all materials that have one."""
    elsewhere = {name for path in derived for name in column_names(path)}
    own = [name for name in objectives if name not in elsewhere]
    materials = with_derived(read_table(sample, columns=["mat_id", *own]), derived)
    return materials.merge(read_table(split, SPLIT), on="mat_id", validate="one_to_one")


def _read_all(encodings: Mapping[Facet, Path]) -> dict[Facet, pa.Table]:
    return {facet: read_arrow(path, ENCODINGS) for facet, path in encodings.items()}


def _aligned(
    materials: pd.DataFrame,
    tables: Mapping[Facet, Sequence[Path]],
    statistics: Sequence[Path],
    encodings: Mapping[Facet, pa.Table],
    hidden: HiddenFacets | None,
    graphs: Sequence[Path],
) -> pd.DataFrame:
    """Add what materials show, ordered by mat_id."""
    frame = with_facets(materials, tables)
    check_pictures(frame, list(tables))
    frame = with_encodings(frame.sort_values("mat_id", ignore_index=True), encodings)
    if graphs:
        frame = with_crystal_graphs(frame, graphs)
    frame = without_hidden(frame, list(tables), hidden)
    return with_statistics(frame, statistics) if statistics else frame


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
