"""The rows that a foundation is made from, which need not fit into memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import pandas as pd


class TrainingRows(Protocol):
    """Rows of the training part; see `polyfacet.training.engines.base.Engine.pretrain`."""

    def pieces(self) -> Iterator[pd.DataFrame]:
        """Read the rows anew, some at a time.

        Each piece precedes the next in the order of `polyfacet.networks.example_file.place_of`.
        """
        ...

    def together(self) -> pd.DataFrame:
        """Return all rows, ordered by mat_id."""
        ...


@dataclass(frozen=True)
class RowsInMemory:
    """Rows that are in memory anyway; see `TrainingRows`."""

    rows: pd.DataFrame

    def pieces(self) -> Iterator[pd.DataFrame]:
        """Yield all rows."""
        yield self.rows

    def together(self) -> pd.DataFrame:
        """Return all rows."""
        return self.rows
