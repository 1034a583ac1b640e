"""Predictions of a run for materials that its models were not fitted on: the validation and the test part."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from polyfacet.evaluation.common_rows import common_rows, rivals
from polyfacet.evaluation.tables import KEYS
from polyfacet.runtime.parquet import iterate_table
from polyfacet.splits.parts import TEST, VALID
from polyfacet.training.cells import PREDICTIONS

VALUES = ["y_true", "y_pred", "true_class", "predicted_class", "probabilities"]


class HeldOut:
    """Predictions of all cells for the validation and the test part.

    Parameters
    ----------
    predictions
        Columns ``KEYS``, ``part``, ``mat_id`` and ``VALUES`` of ``PREDICTIONS``, without rows of the
        training part.
    cells
        Table of ``CELLS``.
    materials
        Source to its materials; only ``mat_id`` matters.
    """

    def __init__(
        self,
        predictions: pd.DataFrame,
        cells: pd.DataFrame,
        materials: Mapping[str, pd.DataFrame],
    ) -> None:
        self.cells: list[dict[str, Any]] = [
            {str(name): value for name, value in row.items()} for row in cells.to_dict("records")
        ]
        self._rivals = {cell: own for own in rivals(self.cells) for cell in own}
        self._values = predictions[VALUES]
        self._mat_ids = predictions["mat_id"].to_numpy()
        self._materials = {source: pd.Index(own["mat_id"]) for source, own in materials.items()}
        groups = predictions.groupby([*KEYS, "part"], sort=False, observed=True)
        self._rows: Mapping[Any, Any] = groups.indices

    @classmethod
    def read(cls, path: Path, cells: pd.DataFrame, materials: Mapping[str, pd.DataFrame]) -> "HeldOut":
        """Read the table of ``PREDICTIONS`` of a run in pieces."""
        is_held_out = pc.field("part").isin([VALID, TEST])
        columns = [*KEYS, "part", "mat_id", *VALUES]
        pieces = [piece.filter(is_held_out) for piece in iterate_table(path, PREDICTIONS, columns=columns)]
        return cls(pa.concat_tables(pieces).to_pandas(categories=[*KEYS, "part"]), cells, materials)

    def rows(self, cell: int, part: str) -> pd.DataFrame:
        """Return the predictions of a cell for a part.

        Parameters
        ----------
        cell
            Position of the cell.
        part
            ``valid`` or ``test``.

        Returns
        -------
        pandas.DataFrame
            Columns ``VALUES``, with the position of each material in its source as the index.
        """
        key = *(self.cells[cell][name] for name in KEYS), part
        found = self._rows.get(key, [])
        materials = self._materials[self.cells[cell]["source"]]
        return self._values.iloc[found].set_axis(materials.get_indexer(self._mat_ids[found]))

    def calibrating(self, cell: int) -> pd.DataFrame:
        """Return the predictions of a cell for validation rows that are like the test rows it is compared on.

        A cell that predicts rows without a facet errs more on them.  If its rivals lack these rows, it is
        compared without them, and must be calibrated without them.
        """
        own = self.rows(cell, VALID)
        if not self.cells[cell]["n_incomplete"]:
            return own
        others = (position for position in self._without_failed(self._rivals[cell]) if position != cell)
        return common_rows([own, *(self.rows(position, VALID) for position in others)])[0]

    def tested(self) -> dict[int, pd.DataFrame]:
        """Return the predictions of each cell that did not fail, for the test rows that no rival lacks."""
        found: dict[int, pd.DataFrame] = {}
        for own in rivals(self.cells):
            ok = self._without_failed(own)
            tables = common_rows(self.rows(position, TEST) for position in ok)
            found |= dict(zip(ok, tables, strict=True))
        return found

    def _without_failed(self, cells: Sequence[int]) -> list[int]:
        return [position for position in cells if self.cells[position]["status"] == "ok"]


def identity_of(cell: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns that identify a cell."""
    return {name: cell[name] for name in KEYS}
