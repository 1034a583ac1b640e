"""The loss of cells on the test part and on the validation part, smaller is better.

It is the MASE of numbers and 1 - macro F1 of classes: 0 for a perfect method.
"""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from polyfacet.evaluation.common_rows import RIVALS, common_rows
from polyfacet.evaluation.metrics import ALL, scores_of_classes, scores_of_numbers
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
            losses = [_loss(table, classes) for table, classes in zip(common, own["classes"], strict=True)]
            table = pd.DataFrame(losses, columns=["valid_error", "valid_loss"], index=own.index)
            found.append(own.join(table).assign(n_valid=len(common[0])))
    if not found:
        return cells[:0].assign(valid_error=0.0, valid_loss=0.0, n_valid=0)
    return pd.concat(found)


def _loss(rows: pd.DataFrame, classes: Sequence[str]) -> tuple[float, float]:
    """Return the error by which rivals are ranked, and the loss."""
    if len(classes):
        found = scores_of_classes(rows["true_class"], rows["predicted_class"], list(classes))
        return (1 - found[ALL]["macro_f1"],) * 2
    numbers = scores_of_numbers(rows["y_true"], rows["y_pred"])
    return numbers["mae"], numbers["mase"]
