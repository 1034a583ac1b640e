"""Training rows whose objective values are those of other rows: a control that can learn nothing of use."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from polyfacet.training.engines.training_rows import TrainingRows


@dataclass(frozen=True)
class PermutedRows:
    """Rows of a foundation, with the values of all objectives permuted together.

    Only rows with any known value take part, so that the same rows count as labelled.

    Attributes
    ----------
    rows
        The rows as they are.
    columns
        Columns of the objectives.
    seed
        Seed of the permutation.
    """

    rows: TrainingRows
    columns: Sequence[str]
    seed: int

    def pieces(self) -> Iterator[pd.DataFrame]:
        """Read the rows anew, some at a time."""
        return map(self._permuted, self.rows.pieces())

    def together(self) -> pd.DataFrame:
        """Return all rows, ordered by mat_id."""
        return self._permuted(self.rows.together())

    @cached_property
    def _values(self) -> pd.DataFrame:
        """Values by mat_id, of all rows with any."""
        columns = list(self.columns)
        known = pd.concat([piece[["mat_id", *columns]] for piece in self.rows.pieces()])
        known = known[known[columns].notna().any(axis=1)].sort_values("mat_id")
        order = np.random.default_rng(self.seed).permutation(len(known))
        return known[columns].iloc[order].set_axis(known["mat_id"])

    def _permuted(self, rows: pd.DataFrame) -> pd.DataFrame:
        own = self._values.reindex(rows["mat_id"]).set_axis(rows.index)
        return rows.assign(**{name: own[name] for name in self.columns})
