"""The table of statistics that composition images show."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from polyfacet.facets.compimage.properties import NAMES
from polyfacet.facets.compimage.statistics import STATISTICS, Array
from polyfacet.runtime.parquet import column, read_arrow, read_table

SHAPE = (len(STATISTICS), len(NAMES))
COMPOSITION_STATISTICS = pa.schema(
    [
        column("mat_id", pa.string(), "identifier of the material"),
        column(
            "statistics",
            pa.list_(pa.float64(), SHAPE[0] * SHAPE[1]),
            f"statistics of the element properties, shape {SHAPE} row by row; NaN where undefined",
        ),
    ]
)

# Column of the dataset.
STATISTICS_COLUMN = "composition_statistics"


def statistics_rows(mat_ids: Iterable[str], statistics: Array) -> list[dict[str, Any]]:
    """Return statistics, shape (materials, 7, 56), as rows of the table."""
    pairs = zip(mat_ids, statistics, strict=True)
    return [{"mat_id": mat_id, "statistics": values.ravel()} for mat_id, values in pairs]


def read_statistics(path: Path) -> tuple[Sequence[str], Array]:
    """Read the mat_ids of a table and their statistics, shape (materials, 7, 56)."""
    table = read_arrow(path, COMPOSITION_STATISTICS)
    values = table["statistics"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return table["mat_id"].to_pylist(), values.reshape(-1, *SHAPE)


def with_statistics(materials: pd.DataFrame, tables: Sequence[Path]) -> pd.DataFrame:
    """Add the column of statistics to materials; all NaN for materials that are not in any table."""
    read = pd.concat([read_table(path, COMPOSITION_STATISTICS) for path in tables]).set_index("mat_id")
    unknown = np.full(SHAPE[0] * SHAPE[1], np.nan)
    found = read["statistics"].reindex(materials["mat_id"])
    values = [unknown if np.ndim(each) == 0 else each for each in found]
    return materials.assign(**{STATISTICS_COLUMN: pd.Series(values, materials.index, dtype=object)})
