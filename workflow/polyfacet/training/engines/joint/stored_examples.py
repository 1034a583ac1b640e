"""Rows on disk that the network learns from, or that choose the epoch."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray

from polyfacet.networks import parquet_batches
from polyfacet.networks.batch_source import BatchSource
from polyfacet.networks.example_file import ExamplesOfPart
from polyfacet.networks.parquet_batches import RANK, ParquetBatches
from polyfacet.networks.processes import own_share
from polyfacet.training.engines.joint.example_table import (
    CLASSES,
    PRESENT,
    VALUES,
    columns_of_formulas,
    longest_formulas,
    rows_of,
    shown_in,
)
from polyfacet.training.engines.joint.examples import Examples
from polyfacet.training.engines.joint.inputs import FacetReader
from polyfacet.training.engines.joint.objectives import LearnedObjectives

# Rows in memory at a time if they have pictures, which are 12 kB per view.
PICTURE_WINDOW_ROWS = 4_096
# Rows that are predicted together: fewer than twice as many; crystals take megabytes each.
ROWS_AT_ONCE = 1024
CRYSTALS_AT_ONCE = 64


def rows_at_once(readers: Iterable[FacetReader]) -> int:
    """Return how many rows with these facets are predicted together."""
    return CRYSTALS_AT_ONCE if any(reader.form == "crystal" for reader in readers) else ROWS_AT_ONCE


@dataclass(frozen=True, eq=False)
class Part:
    """Rows that are computed together: a step, or a part of it.

    Attributes
    ----------
    examples
        The rows.
    ranks
        Their places among all, shape ``(rows,)``.
    n_rows
        Number of rows of the whole step, in all its parts and processes.
    """

    examples: Examples
    ranks: NDArray[np.int64]
    n_rows: int


@dataclass(frozen=True, eq=False)
class StoredExamples:
    """Rows on disk, and how they are read.

    Attributes
    ----------
    rows
        The rows.
    readers
        Of all facets of the network, in its order.
    objectives
        What it predicts.
    """

    rows: ExamplesOfPart
    readers: tuple[FacetReader, ...]
    objectives: LearnedObjectives

    def __len__(self) -> int:
        return len(self.rows.ranks)

    def with_unlabelled(self) -> "StoredExamples":
        """Return these rows and those of the same part without any objective."""
        return replace(self, rows=replace(self.rows, only=None))

    @property
    def present(self) -> torch.Tensor:
        """Whether each row has a facet, by rank, shape ``(rows, facets)``."""
        found = rows_of(self.rows.columns([PRESENT]), PRESENT, len(self.readers), np.bool_)
        return torch.from_numpy(found)

    @property
    def values(self) -> NDArray[np.float64]:
        """Numeric objectives in their units, by rank, shape ``(rows, numbers)``; NaN where unknown."""
        return self._values_in(self.rows.columns([VALUES]))

    @property
    def classes(self) -> torch.Tensor:
        """Index of the class of each other objective, by rank, shape ``(rows, objectives)``; -1: unknown."""
        return self._classes_in(self.rows.columns([CLASSES]))

    def steps(self, batch_size: int, seed: int | None = None, n_parts: int = 1) -> BatchSource[list[Part]]:
        """Stream this process's parts of each step; without a seed in a fixed order."""
        share = own_share()

        def parts_of(table: pa.Table, n_rows: int) -> list[Part]:
            # All processes have as many parts, also those with the smallest share.
            cuts = np.array_split(np.arange(len(table)), max(1, min(n_parts, n_rows // share.of)))
            return [self._part(table.take(cut), n_rows) for cut in cuts]

        has_pictures = any(reader.form == "picture" for reader in self.readers)
        window = parquet_batches.WINDOW_ROWS
        return ParquetBatches(
            self.rows.blocks(),
            batch_size,
            seed,
            parts_of,
            share,
            min(window, PICTURE_WINDOW_ROWS) if has_pictures else window,
        )

    def _part(self, table: pa.Table, n_rows: int) -> Part:
        values = self.objectives.scale.normalise(self._values_in(table))
        shown = shown_in(table, self.readers, self._longest)
        ranks = table[RANK].combine_chunks().to_numpy(zero_copy_only=False)
        return Part(Examples(shown, values, self._classes_in(table)), ranks, n_rows)

    def _values_in(self, table: pa.Table) -> NDArray[np.float64]:
        return rows_of(table, VALUES, len(self.objectives.numbers), np.float64)

    def _classes_in(self, table: pa.Table) -> torch.Tensor:
        return torch.from_numpy(rows_of(table, CLASSES, len(self.objectives.classes), np.int64))

    @cached_property
    def _longest(self) -> dict[str, int]:
        """Number of elements that formulas are padded to: the random numbers of a step depend on it."""
        return longest_formulas(self.rows.columns(columns_of_formulas(self.readers)), self.readers)
