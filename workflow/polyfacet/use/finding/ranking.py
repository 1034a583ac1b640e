"""The materials of a table that are most like given ones, with one piece of the table in memory."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from polyfacet.runtime.parquet import iterate_table, read_table
from polyfacet.training.representations import ABOUT

NUMBERS = pa.list_(pa.float32())

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
    for mat_ids, known in _representations(table, column):
        # Stored numbers are rounded.
        for number, similarities in enumerate((asked @ known.T).clip(-1, 1)):
            piece = pd.DataFrame({"mat_id": mat_ids, "similarity": similarities})
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
    known = read_table(table, columns=["mat_id", *values]).dropna()
    differences = [_differences(known[name], wanted) for name, wanted in values.items()]
    found = known[["mat_id"]].assign(difference=np.mean(differences, axis=0) if len(known) else [])
    return _first(found, "difference", n, ascending=True)


def representation_of(table: Path, column: str, mat_id: str) -> Array | None:
    """Return the representation of a material of the table, shape ``(1, numbers)``; None if it has none."""
    found = pq.read_table(table, columns=[column], filters=[("mat_id", "=", mat_id)])[column].to_pylist()
    return np.array(found, dtype=np.float64) if found and found[0] is not None else None


def _differences(known: pd.Series, wanted: float | str) -> Array:
    if isinstance(wanted, str):
        return np.asarray(known != wanted, dtype=np.float64)
    spread = float((known - known.mean()).abs().mean())
    return np.asarray((known - wanted).abs() / (spread or 1.0), dtype=np.float64)


def _representations(table: Path, column: str) -> Iterator[tuple[list[str], Array]]:
    """Yield identifiers and representations of the materials that have one."""
    schema = pa.schema([ABOUT.field("mat_id"), pa.field(column, NUMBERS)])
    for piece in iterate_table(table, schema):
        known = piece.filter(piece[column].is_valid())
        if known.num_rows:
            numbers = known[column].combine_chunks().flatten().to_numpy().astype(np.float64)
            yield known["mat_id"].to_pylist(), numbers.reshape(known.num_rows, -1)


def _none(name: str) -> pd.DataFrame:
    return pd.DataFrame({"mat_id": pd.Series(dtype=object), name: pd.Series(dtype=float)})


def _first(found: pd.DataFrame, name: str, n: int, *, ascending: bool) -> pd.DataFrame:
    # Products of different matrices differ in the last bits.
    order = found.assign(rounded=found[name].round(9))
    order = order.sort_values(["rounded", "mat_id"], ascending=[ascending, True])
    return order[:n].drop(columns="rounded").reset_index(drop=True)
