"""Table of rows to learn from, as the network reads them, and what is known of their objectives."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import torch
from numpy.typing import NDArray

from polyfacet.encodings.pixels import SIZE
from polyfacet.facets.registry import facet_named
from polyfacet.networks.example_file import HELD_OUT, PLACES
from polyfacet.networks.parquet_batches import RANK
from polyfacet.runtime.parquet import column
from polyfacet.training.engines.formulas import Formulas
from polyfacet.training.engines.joint.crystals import PLACEHOLDER, Crystals
from polyfacet.training.engines.joint.examples import Content, Shown
from polyfacet.training.engines.joint.inputs import FacetReader, has_facet, spread
from polyfacet.training.engines.joint.objectives import LearnedObjectives, values_of

PRESENT, VALUES, CLASSES, LABELLED = "present", "values", "classes", "labelled"
COLOURS = 3
# Type of the lists of each column of a facet, by what its tower reads.
TYPES: Mapping[str, Mapping[str, pa.DataType]] = {
    "numbers": {"numbers": pa.float32()},
    "columns": {"numbers": pa.float32()},
    "picture": {"pixels": pa.uint8()},
    "formula": {"elements": pa.int16(), "fractions": pa.float32()},
    # As `polyfacet.facets.graph.example_table.INPUT`, whose import takes seconds.
    "crystal": {part: pa.from_numpy_dtype(values.dtype) for part, values in PLACEHOLDER.items()},
}


def schema_of(readers: Sequence[FacetReader]) -> pa.Schema:
    """Declare the table of a network with these facets."""
    return pa.schema(
        [
            *PLACES,
            column(PRESENT, pa.list_(pa.bool_()), "whether the row has each facet"),
            column(VALUES, pa.list_(pa.float64()), "numeric objectives, in their units; NaN where unknown"),
            column(CLASSES, pa.list_(pa.int16()), "index of the class of each other objective, -1: unknown"),
            column(LABELLED, pa.bool_(), "whether any objective is known"),
            *(
                column(_name(reader, part), pa.list_(kind), f"{part} of {reader.name}", nullable=True)
                for reader in readers
                for part, kind in TYPES[reader.form].items()
            ),
        ]
    )


def table_of(
    rows: pd.DataFrame, readers: Sequence[FacetReader], learned: LearnedObjectives, schema: pa.Schema
) -> pa.Table:
    """Return rows as a table of examples.

    Parameters
    ----------
    rows
        Rows with ``rank``, ``held_out``, ``labelled``, the columns of the facets and of the objectives.
    readers
        Of all facets of the network, in its order.
    learned
        What it predicts.
    schema
        See `schema_of`.
    """
    present = np.stack([has_facet(rows, facet_named(reader.name)) for reader in readers], axis=1)
    columns: dict[str, pa.Array] = {
        RANK: pa.array(rows[RANK], pa.int64()),
        HELD_OUT: pa.array(rows[HELD_OUT], pa.bool_()),
        PRESENT: _lists(present),
        VALUES: _lists(values_of(rows, learned.numbers)),
        LABELLED: pa.array(rows[LABELLED], pa.bool_()),
        CLASSES: _lists(learned.indices_of_classes(rows).numpy().astype(np.int16)),
    }
    for number, reader in enumerate(readers):
        has = present[:, number]
        parts = _parts_of(reader.read(rows[has])) if has.any() else {}
        for part, kind in TYPES[reader.form].items():
            found, lengths = parts.get(part, (np.empty(0), np.empty(0, dtype=np.int64)))
            spread_lengths = np.zeros(len(rows), dtype=np.int64)
            spread_lengths[has] = lengths
            columns[_name(reader, part)] = _list_array(pa.array(found, kind), spread_lengths, has)
    return pa.table(columns, schema=schema)


def shown_in(table: pa.Table, readers: Sequence[FacetReader], longest: Mapping[str, int]) -> Shown:
    """Return what the rows of a table show.

    A facet that no row has is there as well: every step of a training computes with all weights.

    Parameters
    ----------
    table
        Rows.
    readers
        Of all facets of the network, in its order.
    longest
        Number of elements that the formulas of each facet are padded to.
    """
    present = torch.from_numpy(rows_of(table, PRESENT, len(readers), np.bool_))
    contents = {
        reader.name: spread(_READ[reader.form](table, reader, longest), present[:, number])
        for number, reader in enumerate(readers)
    }
    return Shown(contents, present)


def rows_of(table: pa.Table, name: str, length: int, kind: type[np.generic]) -> NDArray[Any]:
    """Return the lists of a column, all of one length, without missing ones; shape ``(rows, length)``."""
    flat = table[name].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return flat.astype(kind).reshape(-1, length) if length else np.empty((len(table), 0), dtype=kind)


def longest_formulas(table: pa.Table, readers: Sequence[FacetReader]) -> dict[str, int]:
    """Return the largest number of elements in a formula of each facet; see `columns_of_formulas`."""
    lengths = {
        reader.name: table[_name(reader, "elements")].combine_chunks().value_lengths()
        for reader in readers
        if reader.form == "formula"
    }
    return {name: max(filter(None, found.to_pylist()), default=1) for name, found in lengths.items()}


def columns_of_formulas(readers: Sequence[FacetReader]) -> list[str]:
    """Return the columns that tell the number of elements."""
    return [_name(reader, "elements") for reader in readers if reader.form == "formula"]


def _numbers(table: pa.Table, reader: FacetReader, _longest: Mapping[str, int]) -> Content:
    return torch.from_numpy(rows_of(table, _name(reader, "numbers"), len(reader.kept), np.float32))


def _picture(table: pa.Table, reader: FacetReader, _longest: Mapping[str, int]) -> Content:
    shape = (reader.n_views, COLOURS, SIZE, SIZE)
    flat = rows_of(table, _name(reader, "pixels"), int(np.prod(shape)), np.uint8)
    return torch.from_numpy(flat.reshape(-1, *shape))


def _formula(table: pa.Table, reader: FacetReader, longest: Mapping[str, int]) -> Content:
    elements, fractions = (table[_name(reader, part)].combine_chunks() for part in TYPES["formula"])
    lengths = elements.drop_null().value_lengths().to_numpy(zero_copy_only=False)
    filled = np.arange(longest[reader.name]) < lengths[:, None]
    padded = [np.zeros(filled.shape, dtype=kind) for kind in (np.int64, np.float32)]
    for values, found in zip(padded, (elements, fractions), strict=True):
        values[filled] = found.flatten().to_numpy(zero_copy_only=False)
    return Formulas(*map(torch.from_numpy, padded))


def _crystal(table: pa.Table, reader: FacetReader, _longest: Mapping[str, int]) -> Content:
    columns = {part: _divided(table[_name(reader, part)]) for part in TYPES["crystal"]}
    return Crystals([dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)])


def _divided(lists: pa.ChunkedArray) -> list[NDArray[Any]]:
    """Return the lists of a column that are not missing."""
    known = lists.combine_chunks().drop_null()
    lengths = known.value_lengths().to_numpy(zero_copy_only=False)
    return np.split(known.flatten().to_numpy(zero_copy_only=False), np.cumsum(lengths)[:-1])[: len(lengths)]


_READ: Mapping[str, Callable[[pa.Table, FacetReader, Mapping[str, int]], Content]] = {
    "numbers": _numbers,
    "columns": _numbers,
    "picture": _picture,
    "formula": _formula,
    "crystal": _crystal,
}


def _parts_of(content: Content) -> dict[str, tuple[NDArray[Any], NDArray[np.int64]]]:
    """Return the columns of a content: all values in a row, and the number of those of each row."""
    if isinstance(content, Formulas):
        filled = (content.elements != 0).numpy()
        lengths = filled.sum(axis=1)
        return {part: (each.numpy()[filled], lengths) for part, each in vars(content).items()}
    if isinstance(content, Crystals):
        return {
            part: (
                np.concatenate([row[part] for row in content.rows]),
                np.array([len(row[part]) for row in content.rows]),
            )
            for part in TYPES["crystal"]
        }
    values = content.flatten(1).numpy()
    part = "numbers" if content.is_floating_point() else "pixels"
    return {part: (values.ravel(), np.full(len(values), values.shape[1]))}


def _name(reader: FacetReader, part: str) -> str:
    return f"{reader.name}:{part}"


def _lists(rows: NDArray[Any]) -> pa.ListArray:
    everywhere = np.ones(len(rows), dtype=bool)
    return _list_array(pa.array(rows.ravel()), np.full(len(rows), rows.shape[1]), everywhere)


def _list_array(values: pa.Array, lengths: NDArray[np.int64], known: NDArray[np.bool_]) -> pa.ListArray:
    """Divide values into lists; the unknown ones are missing."""
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), values, mask=pa.array(~known))
