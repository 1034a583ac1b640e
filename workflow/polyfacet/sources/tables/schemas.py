"""The tables that a source of compositions becomes: checked rows, and those that were left out."""

from collections.abc import Sequence

import pyarrow as pa

from polyfacet.config.tables import TableSource
from polyfacet.materials.objectives import Objective
from polyfacet.runtime.parquet import column
from polyfacet.sources.tables.description import objectives_of

REJECTED_ROWS = pa.schema(
    [
        column("file", pa.string(), "file of the row"),
        column("line", pa.int64(), "line of the file on which the row ends, from 1"),
        column("mat_id", pa.string(), "identifier that the row has or would have had"),
        column("reason", pa.string(), "why the row cannot be used"),
    ]
)


def rows_schema(
    source: TableSource, elements: Sequence[str] = (), split_columns: Sequence[str] = ()
) -> pa.Schema:
    """Declare the table of checked rows.

    Parameters
    ----------
    source
        What the table's columns mean.
    elements
        Elements whose amounts are features, in their order.
    split_columns
        Further columns of the file, which splits group by; null where a cell is empty.
    """
    return pa.schema(
        [
            column("mat_id", pa.string(), "identifier of the row"),
            column("formula", pa.string(), "composition: equal amounts of equal elements, equal formula"),
            column("line", pa.int64(), "line of the file on which the row ends, from 1"),
            column("composition", pa.list_(pa.float64()), f"amounts of {', '.join(elements)}"),
            *(
                column(facet, pa.list_(pa.float64()), f"columns of the table: {', '.join(columns)}")
                for facet, columns in source.features.items()
            ),
            *_objective_columns(objectives_of(source)),
            *(
                column(name, pa.string(), "text of this column of the file, for splits", nullable=True)
                for name in split_columns
            ),
        ]
    )


def _objective_columns(objectives: Sequence[Objective]) -> list[pa.Field]:
    """Declare the columns that are predicted; null where a row lacks the value."""
    return [
        column(
            objective.column,
            pa.string() if objective.classes else pa.float64(),
            objective.label,
            objective.unit,
            nullable=True,
        )
        for objective in objectives
    ]
