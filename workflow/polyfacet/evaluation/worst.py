"""The predictions with the largest errors."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import pyarrow as pa

from polyfacet.evaluation.common_rows import RIVALS
from polyfacet.evaluation.roles import ANY
from polyfacet.runtime.parquet import column
from polyfacet.training.cells import IDENTITY, PREDICTIONS

N_WORST = 10
# A choice does not name the run.
_CHOSEN = [*RIVALS, "method", "combination"]
WORST = pa.schema(
    [
        *(field for name in _CHOSEN for field in IDENTITY if field.name == name),
        PREDICTIONS.field("mat_id"),
        column("formula", pa.string(), "formula of the material"),
        *(PREDICTIONS.field(name).with_nullable(False) for name in ("y_true", "y_pred")),
        column("error", pa.float64(), "predicted - true value", "that of the objective"),
    ]
)


def worst_predictions(
    cells: Sequence[Mapping[str, Any]],
    tested: Mapping[int, pd.DataFrame],
    samples: Mapping[str, pd.DataFrame],
    choices: pd.DataFrame,
) -> pd.DataFrame:
    """Find the largest errors of the cells that are best on validation rows.

    Parameters
    ----------
    cells
        Rows of ``CELLS``.
    tested
        Predictions by position of the cell; see `polyfacet.evaluation.held_out.HeldOut.tested`.
    samples
        Source to ``mat_id`` and ``formula`` of its materials.
    choices
        Table of ``CHOICES``.

    Returns
    -------
    pandas.DataFrame
        Rows of ``WORST``: for each objective the ``N_WORST`` largest errors over all repeats, the largest
        first, of a material only the largest.  Objectives that are classes have none.
    """
    positions = {tuple(cell[name] for name in _CHOSEN): position for position, cell in enumerate(cells)}
    found = []
    for key in choices.loc[choices["role"] == ANY, _CHOSEN].itertuples(index=False, name=None):
        cell = cells[positions[key]]
        rows = tested.get(positions[key])
        if rows is None or len(cell["classes"]):
            continue
        materials = samples[cell["source"]].iloc[rows.index]
        known = materials[["mat_id", "formula"]].assign(
            y_true=rows["y_true"].to_numpy(), y_pred=rows["y_pred"].to_numpy()
        )
        found.append(known.assign(**{name: cell[name] for name in _CHOSEN}))
    if not found:
        return WORST.empty_table().to_pandas()
    table = pd.concat(found, ignore_index=True)
    table = table.assign(error=table["y_pred"] - table["y_true"])
    order = table["error"].abs().sort_values(ascending=False, kind="stable").index
    groups = ["source", "split", "objective"]
    largest = table.loc[order].drop_duplicates([*groups, "mat_id"])
    rank = largest.groupby(groups, sort=False).cumcount()
    worst = largest[rank < N_WORST]
    first = table.drop_duplicates(groups).reset_index(drop=True).reset_index()[["index", *groups]]
    ordered = worst.merge(first, on=groups).sort_values("index", kind="stable")
    return ordered[WORST.names].reset_index(drop=True)
