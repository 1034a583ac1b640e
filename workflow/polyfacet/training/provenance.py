"""Inputs of a cell, for its card: they identify the data and the code behind a result.

Digests cover what a cell read rather than files, which also contain data that it did not use, and
whose number depends on the number of shards.  For pictures, their own digests count, not their paths; for
frozen encodings, their numbers.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from polyfacet.facets.compimage.statistics_table import STATISTICS_COLUMN
from polyfacet.facets.declaration import Facet
from polyfacet.facets.registry import DIGEST_SUFFIX, encoding_column, shown_columns
from polyfacet.materials.objectives import Objective
from polyfacet.runtime.identifiers import text_digest
from polyfacet.training.cards import Inputs


@dataclass(frozen=True)
class Provenance:
    """Inputs of a cell in addition to its rows.

    Attributes
    ----------
    n_without_part
        Materials of the sample that are not among the rows because the split assigns them no part.
    inputs
        Digests of the cell's inputs.
    code
        Digest of the training code.
    foundation
        Digest of the engine's foundation; None without one.
    """

    n_without_part: int = 0
    inputs: Inputs | None = None
    code: str | None = None
    foundation: str | None = None


UNKNOWN = Provenance()


class InputDigests:
    """Digests of the inputs of cells; each column is digested once.

    Parameters
    ----------
    materials
        Rows as returned by `polyfacet.training.row_tables.RowTables.read`.
    """

    def __init__(self, materials: pd.DataFrame) -> None:
        self._materials = materials
        self._of_column = cache(self._digest)

    def of(self, facets: Iterable[Facet], objective: Objective) -> Inputs:
        """Digest a cell's inputs over all materials, including those without a facet or an answer."""
        has_statistics = STATISTICS_COLUMN in self._materials
        return Inputs(
            split=self._of_column("part"),
            objective=self._of_column(objective.column),
            facets={facet.name: self._of_facet(facet) for facet in facets},
            statistics=self._of_column(STATISTICS_COLUMN) if has_statistics else None,
        )

    def _of_facet(self, facet: Facet) -> str:
        if (encoding := encoding_column(facet)) in self._materials:
            return self._of_column(encoding)
        if facet.kind != "image":
            return self._of_column(facet.name)
        names = [f"{name}{DIGEST_SUFFIX}" for name in shown_columns(facet, self._materials.columns)]
        return text_digest(*(part for name in names for part in (name, self._of_column(name))))

    def _digest(self, name: str) -> str:
        digest = hashlib.sha256()
        for mat_id, value in zip(self._materials["mat_id"], self._materials[name], strict=True):
            written = _written(value)
            # Lengths separate values whatever they contain; a missing value has none.
            length = "" if written is None else len(written)
            digest.update(f"{mat_id}\x1f{length}\x1f".encode())
            digest.update(written or b"")
        return digest.hexdigest()


def _written(value: Any) -> bytes | None:
    """Encode a value as bytes, the same on every machine; None for a missing one."""
    if isinstance(value, np.ndarray):
        return value.astype(value.dtype.newbyteorder("<")).tobytes()
    if isinstance(value, str):
        return value.encode()
    return None if pd.isna(value) else repr(float(value)).encode()
