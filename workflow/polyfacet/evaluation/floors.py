"""The error that no model can fall below if it sees the composition alone.

Such a model must give all materials of one formula the same answer.  The best answer is the median of their
true values, which no model knows: it is that of the very materials tested on.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from polyfacet.evaluation.common_rows import RIVALS, rivals
from polyfacet.evaluation.metrics import scores_of_numbers
from polyfacet.evaluation.roles import looks_only_at_composition
from polyfacet.evaluation.score_names import ALL
from polyfacet.evaluation.tables import COUNTS, KEYS, SCORES
from polyfacet.runtime.parquet import column
from polyfacet.training.cells import IDENTITY

# Rounding of the predictions of networks, in units of the largest true value.
ROUNDING = 1e-6

_FLOOR_MASE = column(
    "floor_mase", pa.float64(), "the same as MASE; missing if all true values are equal", nullable=True
)
FLOORS = pa.schema(
    [
        *(field for field in IDENTITY if field.name in RIVALS),
        column("n_test", pa.int64(), "test values: those that all cells predicted, except failed ones"),
        column("n_formulas", pa.int64(), "formulas among them, as they are spelled"),
        column(
            "floor_mae",
            pa.float64(),
            "mean absolute error of predicting the median of each formula on these rows",
            "that of the objective",
        ),
        _FLOOR_MASE,
    ]
)
BELOW_FLOOR = pa.schema(
    [
        *IDENTITY,
        column("mase", pa.float64(), "MASE of a cell that looks at the composition alone", nullable=True),
        _FLOOR_MASE,
        *(SCORES.field(name) for name in COUNTS),
    ]
)


def find_floors(
    cells: Sequence[Mapping[str, Any]],
    tested: Mapping[int, pd.DataFrame],
    formulas: Mapping[str, NDArray[Any]],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Compute the floor of each objective and repeat, and look for scores below it.

    Parameters
    ----------
    cells
        Rows of ``CELLS``.
    tested
        Predictions by position of the cell; see `polyfacet.evaluation.held_out.HeldOut.tested`.
    formulas
        Formula of each material of each source.  Those that may be equal but are spelled differently count
        as different, as a model could tell them apart.

    Returns
    -------
    tuple of pandas.DataFrame
        Rows of ``FLOORS``; identity, ``floor_mae`` and ``floor_mase`` of all cells on their test rows, and
        ``may_be_rounding``, by how much rounding may take a score below.
    """
    rows, of_cells = [], []
    for own in rivals(cells):
        ok = [position for position in own if position in tested]
        if not ok or len(cells[ok[0]]["classes"]) or tested[ok[0]].empty:
            continue
        first = cells[ok[0]]
        true = tested[ok[0]]["y_true"].to_numpy(dtype=np.float64)
        of_rows = formulas[first["source"]][tested[ok[0]].index]
        mae, mase = floor_of(true, of_rows)
        found = {"floor_mae": mae, "floor_mase": mase}
        counts = {"n_test": len(true), "n_formulas": len(set(of_rows))}
        rows.append({name: first[name] for name in RIVALS} | counts | found)
        within = ROUNDING * float(np.abs(true).max())
        of_cells += [
            {name: cells[position][name] for name in KEYS} | found | {"may_be_rounding": within}
            for position in ok
        ]
    columns = [*KEYS, "floor_mae", "floor_mase", "may_be_rounding"]
    return pd.DataFrame(rows, columns=FLOORS.names), pd.DataFrame(of_cells, columns=columns)


def floor_of(true: NDArray[np.float64], formulas: NDArray[Any]) -> tuple[float, float]:
    """Return MAE and MASE of predicting the median of each formula.

    Parameters
    ----------
    true
        True values, shape ``(rows,)``.
    formulas
        Formula of each row, shape ``(rows,)``.
    """
    medians = pd.Series(true).groupby(formulas).transform("median")
    found = scores_of_numbers(true, medians)
    return found["mae"], found["mase"]


def below_floor(scores: pd.DataFrame, floors: pd.DataFrame, forms: Mapping[str, str]) -> pd.DataFrame:
    """Find scores of cells that look at the composition alone and are below their floor: something leaks.

    Parameters
    ----------
    scores
        Table of ``SCORES``.
    floors
        Floors of the cells; see `find_floors`.
    forms
        Facet to the form of it that is used where a combination names none.

    Returns
    -------
    pandas.DataFrame
        Rows of ``BELOW_FLOOR``.
    """
    blind = {name: looks_only_at_composition(name, forms) for name in scores["combination"].unique()}
    own = scores[scores["combination"].map(blind).astype(bool) & (scores["class"] == ALL)]
    own = own[own["metric"].isin(("mae", "mase"))]
    by_metric = own.pivot(index=[*KEYS, *COUNTS], columns="metric", values="value")
    table = floors.merge(by_metric.reindex(columns=["mae", "mase"]).reset_index(), on=KEYS)
    is_below = table["mae"] < table["floor_mae"] - table["may_be_rounding"]
    return table.loc[is_below, BELOW_FLOOR.names].reset_index(drop=True)
