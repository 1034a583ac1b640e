"""Made-up predictions of cells for held-out materials, for tests of what is computed from them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from made_up_results import cell_row

from polyfacet.evaluation.held_out import VALUES, HeldOut
from polyfacet.evaluation.tables import CELLS, KEYS

# Part to the true and predicted value of each material, by its number.
Numbers = Mapping[str, Mapping[int, tuple[float, float]]]


def cells_table(cells: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Return cells as a table of ``CELLS``; see `cell`."""
    return pd.DataFrame(list(cells), columns=CELLS.names)


def cell(row: str, objective: str = "gap", **changes: Any) -> dict[str, Any]:
    """Return a row of ``CELLS``, for a method and combination like ``ridge graph+compimage``."""
    method, combination = row.split()
    return cell_row(combination, objective, **{"method": method, "combination": combination, **changes})


def materials(n: int) -> pd.DataFrame:
    """Return the materials m0, m1, ... of a source."""
    return pd.DataFrame({"mat_id": [f"m{number}" for number in range(n)]})


def numbers(part: str, rows: Mapping[int, tuple[float, float]]) -> pd.DataFrame:
    """Return predictions of numbers for a part."""
    true, predicted = np.transpose(list(rows.values())) if rows else ([], [])
    return _table(part, rows, y_true=true, y_pred=predicted)


def classes(part: str, rows: Mapping[int, tuple[str, Mapping[str, float]]]) -> pd.DataFrame:
    """Return predictions of classes for a part: true class and probabilities of each material."""
    likely = [max(own, key=own.__getitem__) for _, own in rows.values()]
    return _table(
        part,
        rows,
        true_class=[true for true, _ in rows.values()],
        predicted_class=likely,
        probabilities=[list(own.items()) for _, own in rows.values()],
    )


def _table(part: str, rows: Mapping[int, Any], **values: Any) -> pd.DataFrame:
    names = {"mat_id": [f"m{number}" for number in rows], "part": part}
    table = pd.DataFrame({**names, **dict.fromkeys(VALUES), **values})
    return table.astype({"y_true": float, "y_pred": float})


def held_out(
    cells: Sequence[Mapping[str, Any]], predictions: Sequence[Sequence[pd.DataFrame]], n_materials: int = 100
) -> HeldOut:
    """Return the predictions of cells of one source, some tables for each cell."""
    tables = [
        table.assign(**{name: own[name] for name in KEYS})
        for own, parts in zip(cells, predictions, strict=True)
        for table in parts
    ]
    sources = {own["source"]: materials(n_materials) for own in cells}
    return HeldOut(pd.concat(tables, ignore_index=True), cells_table(cells), sources)
