"""Texts of formulas as atomic fractions of the elements: nothing is fitted."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd

from polyfacet.elements.symbols import ELEMENTS
from polyfacet.encodings.base import Encoded, Encoder, Fitting, Tensors
from polyfacet.materials.formula import parse_formula


class FractionEncoder(Encoder):
    """The atomic fraction of each element, in alphabetical order: all that a text of the formula says."""

    @classmethod
    def fit(cls, fitting: Fitting) -> Self:
        """Return the encoder; nothing is fitted."""
        return cls({"elements": len(ELEMENTS)})

    def encode(self, rows: pd.DataFrame, columns: Sequence[str]) -> Encoded:
        """Return atomic fractions, shape ``(rows, 118)``."""
        return fractions_of(rows["formula"])

    def tensors(self) -> Tensors:
        """Return nothing."""
        return {}

    @classmethod
    def restored(cls, record: Mapping[str, Any], tensors: Tensors) -> Self:
        """Return the encoder."""
        return cls(record)


def fractions_of(formulas: Iterable[str]) -> Encoded:
    """Return the atomic fractions of ``ELEMENTS`` in each formula, shape ``(formulas, 118)``."""
    return np.array([_fractions(formula) for formula in formulas], dtype=np.float32)


def _fractions(formula: str) -> list[float]:
    amounts = parse_formula(formula)
    total = sum(amounts.values())
    return [amounts.get(symbol, 0.0) / total for symbol in ELEMENTS]
