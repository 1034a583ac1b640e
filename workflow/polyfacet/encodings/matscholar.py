"""Texts of formulas as atomic fractions, and as what the materials literature says of their elements."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd

from polyfacet.elements.symbols import ELEMENTS
from polyfacet.elements.vectors import matscholar_vectors
from polyfacet.encodings.base import Encoded, Encoder, Fitting, Tensors
from polyfacet.encodings.fractions import fractions_of


class MatscholarEncoder(Encoder):
    """The atomic fractions, and the mean of the elements' Matscholar vectors, weighted by them.

    The mean alone would leave trees without a way to single out one element.
    """

    def __init__(self, record: Mapping[str, Any], vectors: Encoded) -> None:
        super().__init__(record)
        self._vectors = vectors

    @classmethod
    def fit(cls, fitting: Fitting) -> Self:
        """Return the encoder; nothing is fitted on materials."""
        return cls({"elements": len(ELEMENTS), "vectors": "matscholar"}, matscholar_vectors())

    def encode(self, rows: pd.DataFrame, columns: Sequence[str]) -> Encoded:
        """Return fractions and mean vectors, shape ``(rows, 318)``."""
        fractions = fractions_of(rows["formula"])
        return np.hstack([fractions, np.array([self._mean(each) for each in fractions], np.float32)])

    def _mean(self, fractions: Encoded) -> Encoded:
        """Return the mean vector of one formula, summed in a fixed order: its bits depend on nothing else."""
        present = fractions.nonzero()[0]
        mean: Encoded = (fractions[present, None] * self._vectors[present]).sum(axis=0)
        return mean

    def tensors(self) -> Tensors:
        """Return the vectors of the elements."""
        return {"vectors": self._vectors}

    @classmethod
    def restored(cls, record: Mapping[str, Any], tensors: Tensors) -> Self:
        """Create the encoder that had this record and these vectors."""
        return cls(record, tensors["vectors"])
