"""Representations of all materials of a run by the foundation of a method: what `polyfacet find` searches."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from polyfacet.facets.declaration import Facet
from polyfacet.runtime.parquet import column

ABOUT = pa.schema(
    [
        column("mat_id", pa.string(), "identifier of the material"),
        column("formula", pa.string(), "formula"),
        column("part", pa.string(), "part of the split"),
    ]
)
# Column of the representation of a material by all of its facets, and beginnings of those by a single facet
# and of known values.
TOGETHER, BY_FACET, VALUE = "represented", "represented_", "value_"


def representation_column(facet: str) -> str:
    """Return the column of the representation by a single facet."""
    return f"{BY_FACET}{facet}"


def value_column(objective: str) -> str:
    """Return the column of the known values of an objective."""
    return f"{VALUE}{objective}"


def representations_schema(facets: Sequence[Facet], objectives: Mapping[str, bool]) -> pa.Schema:
    """Declare the table.

    Parameters
    ----------
    facets
        Facets of the method.
    objectives
        Objectives to whether their values are numbers, not classes.
    """
    numbers = pa.list_(pa.float32())
    return pa.schema(
        [
            *ABOUT,
            *(
                column(
                    value_column(name),
                    pa.float64() if is_number else pa.string(),
                    f"known value of {name}",
                    nullable=True,
                )
                for name, is_number in objectives.items()
            ),
            column(TOGETHER, numbers, "by all facets of the material, of length 1", nullable=True),
            *(
                column(representation_column(facet.name), numbers, f"by {facet.name}", nullable=True)
                for facet in facets
            ),
        ]
    )


def represented(
    rows: pd.DataFrame, facets: Sequence[Facet], known: Sequence[np.ndarray], schema: pa.Schema
) -> pa.Table:
    """Return the rows of the table.

    Parameters
    ----------
    rows
        Materials with the other columns.
    facets
        Facets of the method.
    known
        Representations by all facets and by each of them, shape ``(rows, numbers)``; NaN for materials
        without it.
    """
    names = [TOGETHER, *(representation_column(facet.name) for facet in facets)]
    values = {name: list(_rows_of(each)) for name, each in zip(names, known, strict=True)}
    own = {name: rows[name.removeprefix(VALUE)] for name in schema.names if name not in values}
    return pa.Table.from_pandas(pd.DataFrame({**own, **values}), schema, preserve_index=False)


def _rows_of(known: np.ndarray) -> Iterator[np.ndarray | None]:
    for row in known.astype(np.float32):
        yield row if np.isfinite(row).all() else None
