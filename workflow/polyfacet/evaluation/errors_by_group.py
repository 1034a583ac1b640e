"""Errors by element, crystal system and size of the cell: a description of where a method is good or bad."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from polyfacet.evaluation.material_groups import MaterialGroups
from polyfacet.evaluation.tables import CELL
from polyfacet.runtime.parquet import column
from polyfacet.training.cells import IDENTITY

# A cell in all repeats of its split.
CELL_OF_SPLIT = [name for name in CELL if name != "run"]
_UNIT = "that of the objective for numbers"
ERRORS_BY_GROUP = pa.schema(
    [
        *(field for field in IDENTITY if field.name in CELL_OF_SPLIT),
        column("kind", pa.string(), "all, element, crystal_system, or size (sites per cell)"),
        column("group", pa.string(), "name of the group; materials of several elements are in several"),
        column("n", pa.int64(), "test predictions over all repeats"),
        column("n_materials", pa.int64(), "different materials among them"),
        column("mae", pa.float64(), "mean absolute error; for classes, share of wrong predictions", _UNIT),
        column("mean_true", pa.float64(), "mean true value; missing for classes", _UNIT, nullable=True),
        column(
            "bias", pa.float64(), "mean of predicted - true value; missing for classes", _UNIT, nullable=True
        ),
    ]
)


def errors_by_group(
    cells: pd.DataFrame,
    tested: Mapping[int, pd.DataFrame],
    groups: Mapping[str, MaterialGroups],
    choices: pd.DataFrame,
) -> pd.DataFrame:
    """Compute the errors in each group of materials.

    Parameters
    ----------
    cells
        Table of ``CELLS``.
    tested
        Predictions by position of the cell; see `polyfacet.evaluation.held_out.HeldOut.tested`.
    groups
        Groups of the materials of each source.
    choices
        Table of ``CHOICES``.

    Returns
    -------
    pandas.DataFrame
        Rows of ``ERRORS_BY_GROUP``, for the cells that were chosen at least once, and for all baselines.
    """
    chosen = set(choices[CELL_OF_SPLIT].itertuples(index=False, name=None))
    found = []
    for key, positions in cells.groupby(CELL_OF_SPLIT, sort=False).indices.items():
        if not (key in chosen or cells["role_baseline"].iloc[positions[0]]):
            continue
        rows = [tested[position] for position in positions if position in tested]
        if not rows or not any(map(len, rows)):
            continue
        is_class = len(cells["classes"].iloc[positions[0]]) > 0
        source = cells["source"].iloc[positions[0]]
        own = _in_groups(pd.concat(rows), groups[source], is_class)
        found.append(own.assign(**{name: cells[name].iloc[positions[0]] for name in CELL_OF_SPLIT}))
    return pd.concat(found, ignore_index=True)[ERRORS_BY_GROUP.names] if found else _nothing()


def _nothing() -> pd.DataFrame:
    return ERRORS_BY_GROUP.empty_table().to_pandas()


def _in_groups(rows: pd.DataFrame, groups: MaterialGroups, is_class: bool) -> pd.DataFrame:
    """Return the errors of one cell in each group that has any of its predictions."""
    true, signed, size = _errors(rows, is_class)
    members = groups.members[rows.index.to_numpy()]
    n = members.sum(axis=0)
    of_materials = groups.members[rows.index.unique().to_numpy()].sum(axis=0)
    with np.errstate(invalid="ignore"):
        means = {
            name: values @ members / n
            for name, values in (("mae", size), ("mean_true", true), ("bias", signed))
        }
    table = pd.DataFrame({"kind": groups.kinds, "group": groups.names, "n": n, "n_materials": of_materials})
    return table.assign(**means)[n > 0].astype({"n": int, "n_materials": int})


def _errors(rows: pd.DataFrame, is_class: bool) -> Sequence[Any]:
    """Return true values, signed errors and absolute errors of predictions."""
    if is_class:
        wrong = rows["true_class"].to_numpy() != rows["predicted_class"].to_numpy()
        unknown = np.full(len(rows), np.nan)
        return unknown, unknown, wrong.astype(float)
    true, predicted = rows["y_true"].to_numpy(), rows["y_pred"].to_numpy()
    return true, predicted - true, np.abs(predicted - true)
