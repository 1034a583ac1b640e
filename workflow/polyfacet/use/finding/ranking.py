"""The materials of a table that are most like given ones, with one piece of the table in memory."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from polyfacet.runtime.parquet import iterate_table, read_table
from polyfacet.training.representations import ABOUT, value_column

NUMBERS = pa.list_(pa.float32())
# Queries that are compared with a piece of the table at once.
QUERIES_AT_ONCE = 200
# Products of different matrices differ in the last bits.
DECIMALS, TIED = 9, 2e-9

Array = NDArray[np.float64]


def most_similar(table: Path, column: str, asked: Array, n: int) -> list[pd.DataFrame]:
    """Rank materials by the cosine of their representations and those that are asked for.

    Parameters
    ----------
    table
        Table of representations.
    column
        Column of the representations to compare with; materials without it have no rank.
    asked
        Of length 1, shape ``(queries, numbers)``.
    n
        Materials to return for each query.

    Returns
    -------
    list of pandas.DataFrame
        For each query ``mat_id`` and ``similarity``, the most similar first; equal ones by identifier.
    """
    best = [_none("similarity") for _ in asked]
    if not best:
        return []
    for mat_ids, known in _representations(table, column):
        for start in range(0, len(asked), QUERIES_AT_ONCE):
            some = asked[start : start + QUERIES_AT_ONCE]
            # Stored numbers are rounded.
            for number, similarities in enumerate((some @ known.T).clip(-1, 1), start):
                highest = _highest(similarities, n)
                piece = pd.DataFrame({"mat_id": mat_ids[highest], "similarity": similarities[highest]})
                best[number] = _first(pd.concat([best[number], piece]), "similarity", n, ascending=False)
    return best


def closest(table: Path, values: Mapping[str, float | str], n: int) -> pd.DataFrame:
    """Rank materials by the differences of known values to wanted ones.

    Differences of numbers are in mean absolute deviations of the known values, so that several objectives
    count alike; another class counts 1.  Materials without one of the values have no rank.

    Returns
    -------
    pandas.DataFrame
        ``mat_id`` and ``difference``, the mean over the objectives, the smallest first.
    """
    columns = {value_column(name): wanted for name, wanted in values.items()}
    known = read_table(table, columns=["mat_id", *columns])
    differences = [_differences(known[name], wanted) for name, wanted in columns.items()]
    found = known[["mat_id"]].assign(difference=np.mean(differences, axis=0) if len(known) else [])
    return _first(found.dropna(), "difference", n, ascending=True)


def representation_of(table: Path, column: str, mat_id: str) -> Array | None:
    """Return the representation of a material of the table, shape ``(1, numbers)``; None if it has none."""
    found = pq.read_table(table, columns=[column], filters=[("mat_id", "=", mat_id)])[column].to_pylist()
    return np.array(found, dtype=np.float64) if found and found[0] is not None else None


def _differences(known: pd.Series, wanted: float | str) -> Array:
    """Return differences; NaN where nothing is known."""
    if isinstance(wanted, str):
        return np.asarray((known != wanted).where(known.notna()), dtype=np.float64)
    spread = float((known - known.mean()).abs().mean())
    return np.asarray((known - wanted).abs() / (spread or 1.0), dtype=np.float64)


def _highest(values: Array, n: int) -> NDArray[np.intp]:
    """Return the places of the highest values and of all that are as high as the last of them."""
    if n >= len(values):
        return np.arange(len(values))
    last = np.partition(values, -n)[-n]
    return np.flatnonzero(values >= last - TIED)


def _representations(table: Path, column: str) -> Iterator[tuple[NDArray[np.object_], Array]]:
    """Yield identifiers and representations of the materials that have one."""
    schema = pa.schema([ABOUT.field("mat_id"), pa.field(column, NUMBERS)])
    for piece in iterate_table(table, schema):
        known = piece.filter(piece[column].is_valid())
        if known.num_rows:
            numbers = known[column].combine_chunks().flatten().to_numpy().astype(np.float64)
            yield known["mat_id"].to_numpy(zero_copy_only=False), numbers.reshape(known.num_rows, -1)


def _none(name: str) -> pd.DataFrame:
    return pd.DataFrame({"mat_id": pd.Series(dtype=object), name: pd.Series(dtype=float)})


def _first(found: pd.DataFrame, name: str, n: int, *, ascending: bool) -> pd.DataFrame:
    order = found.assign(rounded=found[name].round(DECIMALS))
    order = order.sort_values(["rounded", "mat_id"], ascending=[ascending, True])
    return order[:n].drop(columns="rounded").reset_index(drop=True)
