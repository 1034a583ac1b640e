"""The rows of a foundation, read from the tables of a run a shard at a time."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from polyfacet.facets.declaration import Facet
from polyfacet.materials.objectives import Objective
from polyfacet.training.seen_rows import rows_of_foundation


@dataclass(frozen=True)
class RowsOnDisk:
    """Rows of the training part; see `polyfacet.training.engines.training_rows.TrainingRows`.

    Attributes
    ----------
    read, read_by_shard
        Read the materials of all parts, at once or one shard after the other.
    facets, objectives, missing
        See `polyfacet.training.seen_rows.rows_of_foundation`.
    """

    read: Callable[[], pd.DataFrame]
    read_by_shard: Callable[[], Iterator[pd.DataFrame]]
    facets: Sequence[Facet]
    objectives: Sequence[Objective]
    missing: bool

    def pieces(self) -> Iterator[pd.DataFrame]:
        """Read the rows of one shard after the other."""
        return map(self._seen, self.read_by_shard())

    def together(self) -> pd.DataFrame:
        """Read all rows, ordered by mat_id."""
        return self._seen(self.read())

    def _seen(self, materials: pd.DataFrame) -> pd.DataFrame:
        return rows_of_foundation(materials, self.facets, self.objectives, missing=self.missing)
