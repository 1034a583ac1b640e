"""Texts of formulas as atomic fractions of the elements: nothing is fitted."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd

from polyfacet.elements.symbols import SYMBOLS
from polyfacet.encodings.base import Encoded, Encoder, Fitting, Tensors
from polyfacet.materials.formula import parse_formula

# In the order of the numbers.
ELEMENTS = tuple(sorted(SYMBOLS))


class FractionEncoder(Encoder):
    """The atomic fraction of each element, in alphabetical order: all that a text of the formula says."""

    @classmethod
    def fit(cls, fitting: Fitting) -> Self:
        """Return the encoder; nothing is fitted."""
        return cls({"elements": len(ELEMENTS)})

    def encode(self, rows: pd.DataFrame, columns: Sequence[str]) -> Encoded:
        """Return atomic fractions, shape ``(rows, 118)``."""
        return np.array([_fractions(formula) for formula in rows["formula"]], dtype=np.float32)

    def tensors(self) -> Tensors:
        """Return nothing."""
        return {}

    @classmethod
    def restored(cls, record: Mapping[str, Any], tensors: Tensors) -> Self:
        """Return the encoder."""
        return cls(record)


def _fractions(formula: str) -> list[float]:
    amounts = parse_formula(formula)
    total = sum(amounts.values())
    return [amounts.get(symbol, 0.0) / total for symbol in ELEMENTS]
