"""The aligned table of a table's rows: what methods learn from, one for each split."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa

from polyfacet.facets.compimage.statistics_table import SHAPE, STATISTICS_COLUMN
from polyfacet.facets.registry import Facet
from polyfacet.materials.objectives import Objective
from polyfacet.runtime.parquet import column, read_table
from polyfacet.sources.tables.reading import target_columns
from polyfacet.splits.parts import GROUP
from polyfacet.training.dataset import picture_fields, with_checked_pictures


def table_dataset_schema(objectives: Sequence[Objective]) -> pa.Schema:
    """Declare the table."""
    return pa.schema(
        [
            column("mat_id", pa.string(), "identifier of the row"),
            column("formula", pa.string(), "composition: equal amounts of equal elements, equal formula"),
            *target_columns(objectives),
            column(
                Facet.TABULAR.facts.column,
                pa.list_(pa.float64()),
                "amounts of the elements, then process conditions",
            ),
            *picture_fields(Facet.COMPIMAGE.facts.column, "composition image"),
            column(
                STATISTICS_COLUMN,
                pa.list_(pa.float64()),
                f"statistics of the element properties, shape {SHAPE} row by row; NaN where undefined",
                nullable=True,
            ),
            column("facets", pa.list_(pa.string()), "facets that this row has"),
            GROUP,
            column("part", pa.string(), "train, valid (where the split names it) or test"),
        ]
    )


def read_table_dataset(path: Path, objectives: Sequence[Objective]) -> pd.DataFrame:
    """Read the table; its pictures are checked and have absolute paths, see `read_dataset` of crystals."""
    frame = read_table(path, table_dataset_schema(objectives))
    return with_checked_pictures(frame, path.parent)
