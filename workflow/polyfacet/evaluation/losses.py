"""The loss of cells on the test part and on the validation part, smaller is better.

It is the MASE of numbers and 1 - macro F1 of classes: 0 for a perfect method.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from polyfacet.evaluation.common_rows import RIVALS, common_rows
from polyfacet.evaluation.metrics import ALL, mean_absolute_deviation, scores_of_classes
from polyfacet.evaluation.tables import CELL, KEYS
from polyfacet.runtime.parquet import iterate_table
from polyfacet.splits.parts import VALID
from polyfacet.training.cells import PREDICTIONS

_SHOWN = ["mat_id", "y_true", "y_pred", "true_class", "predicted_class"]


def losses_on_test(scores: pd.DataFrame) -> pd.DataFrame:
    """Return the loss of each cell on the test part.

    Parameters
    ----------
    scores
        Table of ``SCORES``.

    Returns
    -------
    pandas.DataFrame
        Identity of the cell, ``loss`` (missing if the cell failed or all test values are equal), ``n_test``,
        ``n_nontrivial``; without the means over the objectives.
    """
    is_loss = scores["metric"].isin(("mase", "macro_f1")) & (scores["class"] == ALL)
    own = scores[is_loss & (scores["objective"] != ALL)]
    loss = own["value"].where(own["metric"] == "mase", 1 - own["value"])
    return own[[*KEYS, "n_test", "n_nontrivial"]].assign(loss=loss).reset_index(drop=True)


def candidates(cells: pd.DataFrame, validation: pd.DataFrame) -> pd.DataFrame:
    """Select the cells that can be chosen by their validation rows.

    Parameters
    ----------
    cells
        Table of ``CELLS``.
    validation
        Result of `read_validation_rows`.

    Returns
    -------
    pandas.DataFrame
        Cells of the methods and combinations that did not fail and predicted validation rows in every repeat
        of the split.
    """
    n_of_split = cells.groupby(["source", "split"])["repeat"].transform("nunique")
    predicted = validation[KEYS].drop_duplicates().assign(has_rows=True)
    has_rows = cells[KEYS].merge(predicted, on=KEYS, how="left")["has_rows"].notna().to_numpy()
    usable = (cells["status"] == "ok") & has_rows
    n_usable = usable.groupby([cells[name] for name in CELL]).transform("sum")
    return cells[n_usable == n_of_split]


def read_validation_rows(path: Path) -> pd.DataFrame:
    """Read the predictions for validation rows from the table of ``PREDICTIONS`` of a run."""
    pieces = [
        piece.filter(pc.field("part") == VALID)
        for piece in iterate_table(path, PREDICTIONS, columns=[*KEYS, "part", *_SHOWN])
    ]
    return pa.concat_tables(pieces).to_pandas()


def validation_losses(cells: pd.DataFrame, validation: pd.DataFrame) -> pd.DataFrame:
    """Compute the losses of candidates on the validation rows that all of their rivals predicted.

    Parameters
    ----------
    cells
        Result of `candidates`.
    validation
        Result of `read_validation_rows`.

    Returns
    -------
    pandas.DataFrame
        The cells with ``valid_error`` (mean absolute error, or 1 - macro F1), by which they can always be
        ranked, ``valid_loss`` (missing if all values are equal) and ``n_valid``.  Rivals without any common
        validation row are left out.
    """
    of_cell = validation.groupby(KEYS, sort=False).indices
    found = []
    for _, own in cells.groupby(RIVALS, sort=False):
        rows = [
            validation.iloc[of_cell[key]].set_index("mat_id") for key in own[KEYS].itertuples(index=False)
        ]
        common = common_rows(rows)
        if len(common[0]):
            losses = _losses(common, own["classes"].iloc[0]).set_index(own.index)
            found.append(own.join(losses).assign(n_valid=len(common[0])))
    if not found:
        return cells[:0].assign(valid_error=0.0, valid_loss=0.0, n_valid=0)
    return pd.concat(found)


def _losses(rows: Sequence[pd.DataFrame], classes: Sequence[str]) -> pd.DataFrame:
    """Return the error by which rivals are ranked, and the loss, of each of them.

    Parameters
    ----------
    rows
        Predictions of the rivals for the same materials.
    classes
        Classes of the objective; empty for numbers.
    """
    if len(classes):
        found = [
            scores_of_classes(own["true_class"], own["predicted_class"], list(classes))[ALL] for own in rows
        ]
        loss = 1 - np.array([scores["macro_f1"] for scores in found])
        return pd.DataFrame({"valid_error": loss, "valid_loss": loss})
    true = rows[0]["y_true"].to_numpy(dtype=np.float64)
    predicted = np.stack([own["y_pred"].to_numpy(dtype=np.float64) for own in rows])
    error = np.abs(predicted - true).mean(axis=1)
    return pd.DataFrame({"valid_error": error, "valid_loss": error / mean_absolute_deviation(true)})
