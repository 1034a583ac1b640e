"""What a cell was made of, for its card: so that anyone can tell which data and which code a result is of.

Digests are of what a cell saw, as it was read: not of files, which also hold what it did not look at, and
whose number depends on the number of shards.  Of pictures their own digests count, not their paths.
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
from polyfacet.facets.registry import DIGEST_SUFFIX, shown_columns
from polyfacet.materials.objectives import Objective
from polyfacet.runtime.identifiers import text_digest
from polyfacet.training.cards import Inputs


@dataclass(frozen=True)
class Provenance:
    """What a cell was made of beside its rows.

    Attributes
    ----------
    n_without_part
        Materials of the sample that are not among the rows, as the split gives them no part.
    inputs
        Digests of what the cell saw.
    code
        Digest of the code that trains.
    foundation
        Digest of the foundation that the engine was given; None for none.
    """

    n_without_part: int = 0
    inputs: Inputs | None = None
    code: str | None = None
    foundation: str | None = None


UNKNOWN = Provenance()


class InputDigests:
    """Digests of what cells see of their materials, each column digested once.

    Parameters
    ----------
    materials
        Rows as `polyfacet.training.dataset.read_cell_rows` gives them.
    """

    def __init__(self, materials: pd.DataFrame) -> None:
        self._materials = materials
        self._of_column = cache(self._digest)

    def of(self, facets: Iterable[Facet], objective: Objective) -> Inputs:
        """Digest what a cell is made of: of all materials, those without a facet or an answer as well."""
        has_statistics = STATISTICS_COLUMN in self._materials
        return Inputs(
            split=self._of_column("part"),
            objective=self._of_column(objective.column),
            facets={facet.name: self._of_facet(facet) for facet in facets},
            statistics=self._of_column(STATISTICS_COLUMN) if has_statistics else None,
        )

    def _of_facet(self, facet: Facet) -> str:
        if facet.kind != "image":
            return self._of_column(facet.name)
        names = [f"{name}{DIGEST_SUFFIX}" for name in shown_columns(facet, self._materials.columns)]
        return text_digest(*(part for name in names for part in (name, self._of_column(name))))

    def _digest(self, name: str) -> str:
        digest = hashlib.sha256()
        for mat_id, value in zip(self._materials["mat_id"], self._materials[name], strict=True):
            written = _written(value)
            # Lengths tell values apart whatever is in them; one that is missing has none.
            length = "" if written is None else len(written)
            digest.update(f"{mat_id}\x1f{length}\x1f".encode())
            digest.update(written or b"")
        return digest.hexdigest()


def _written(value: Any) -> bytes | None:
    """Write a value as bytes, the same on every machine; None for one that is missing."""
    if isinstance(value, np.ndarray):
        return value.astype(value.dtype.newbyteorder("<")).tobytes()
    if isinstance(value, str):
        return value.encode()
    return None if pd.isna(value) else repr(float(value)).encode()
