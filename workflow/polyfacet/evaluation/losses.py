"""The loss of cells on the test part and on the validation part, smaller is better.

It is the MASE of numbers and 1 - macro F1 of classes: 0 for a perfect method.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from polyfacet.evaluation.common_rows import RIVALS, common_rows
from polyfacet.evaluation.metrics import mean_absolute_deviation, scores_of_classes
from polyfacet.evaluation.score_names import ALL
from polyfacet.evaluation.tables import CELL, COUNTS, KEYS
from polyfacet.runtime.parquet import column
from polyfacet.training.cells import IDENTITY

LOSS_UNIT = "MASE of numbers, 1 - macro F1 of classes"
VALIDATION = pa.schema(
    [
        *IDENTITY,
        column(
            "valid_error",
            pa.float64(),
            "error on the validation part, which ranks rivals: mean absolute error, or 1 - macro F1",
            "that of the objective for numbers",
        ),
        column(
            "valid_loss",
            pa.float64(),
            "loss on the validation part; missing if all values are equal",
            LOSS_UNIT,
            nullable=True,
        ),
        column("n_valid", pa.int64(), "validation rows that all candidates predicted"),
    ]
)
# Columns of predictions that losses are computed from.
PREDICTED = ["y_true", "y_pred", "true_class", "predicted_class"]


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
    return own[[*KEYS, *COUNTS]].assign(loss=loss).reset_index(drop=True)


def candidates(cells: pd.DataFrame, validation: pd.DataFrame) -> pd.DataFrame:
    """Select the cells that can be chosen by their validation rows.

    Parameters
    ----------
    cells
        Table of ``CELLS``.
    validation
        Predictions for validation rows: columns ``KEYS``, ``mat_id`` and ``PREDICTED``.

    Returns
    -------
    pandas.DataFrame
        Cells of the methods and combinations that did not fail and predicted validation rows in every repeat
        of the split, and whose encoders are trained.
    """
    n_of_split = cells.groupby(["source", "split"])["repeat"].transform("nunique")
    predicted = validation[KEYS].drop_duplicates().assign(has_rows=True)
    has_rows = cells[KEYS].merge(predicted, on=KEYS, how="left")["has_rows"].notna().to_numpy()
    is_control = cells["untrained"].map(len) > 0
    usable = (cells["status"] == "ok") & has_rows & ~is_control
    n_usable = usable.groupby([cells[name] for name in CELL]).transform("sum")
    return cells[n_usable == n_of_split]


def validation_losses(cells: pd.DataFrame, validation: pd.DataFrame) -> pd.DataFrame:
    """Compute the losses of candidates on the validation rows that all of their rivals predicted.

    Parameters
    ----------
    cells
        Result of `candidates`.
    validation
        Their predictions for validation rows, as for `candidates`.

    Returns
    -------
    pandas.DataFrame
        Rows of ``VALIDATION``, with the index of the cells.  Rivals without any common validation row are
        left out.
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
            found.append(own[KEYS].join(losses).assign(n_valid=len(common[0])))
    if not found:
        return cells.loc[[], KEYS].assign(valid_error=0.0, valid_loss=0.0, n_valid=0)
    return pd.concat(found)


def with_validation_losses(cells: pd.DataFrame, losses: pd.DataFrame) -> pd.DataFrame:
    """Select the cells that can be chosen, and add what they are chosen by.

    Parameters
    ----------
    cells
        Table of ``CELLS``.
    losses
        Table of ``VALIDATION``.

    Returns
    -------
    pandas.DataFrame
        The candidates among the cells, with the columns of ``VALIDATION``.
    """
    return cells.drop(columns="n_valid").merge(losses, on=KEYS, validate="one_to_one")


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
