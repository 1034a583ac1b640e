"""The formulas of materials, by which scores are resampled."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from polyfacet.splits.methods import FORMULA, SplitSettings


@dataclass(frozen=True)
class Formulas:
    """Materials of a source, and which of them have the same formula.

    Attributes
    ----------
    materials
        Identifiers of the materials.
    numbers
        Number of the formula of each of them, shape ``(materials,)``, from 0.
    """

    materials: pd.Index
    numbers: NDArray[np.int64]

    @property
    def n_formulas(self) -> int:
        """Number of different formulas."""
        return int(self.numbers.max(initial=-1)) + 1


def formulas_of(sample: pd.DataFrame, *, rounded: bool) -> Formulas:
    """Find materials of the same formula, as the split method ``formula`` does.

    Parameters
    ----------
    sample
        ``mat_id``, ``formula``, for crystals ``n_sites``.
    rounded
        Whether formulas may be rounded, as those of tables are.
    """
    # Neither parts nor repeats matter for the groups.
    settings = SplitSettings(train_fraction=1, validation_fraction=0, seed=0, repeat=0, rounded=rounded)
    groups = FORMULA.group(sample, settings)
    numbers, _ = pd.factorize(sample["mat_id"].map(dict(groups)))
    return Formulas(pd.Index(sample["mat_id"]), numbers.astype(np.int64))
