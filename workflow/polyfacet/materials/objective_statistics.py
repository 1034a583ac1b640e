"""Statistics of the objectives of a source: what there is to learn, before anything is trained."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from polyfacet.materials.known_values import is_known
from polyfacet.materials.objectives import Objective
from polyfacet.runtime.parquet import column

OF_THE_OBJECTIVE = "that of the objective"

STATISTICS = pa.schema(
    [
        column("objective", pa.string(), "name of the objective"),
        column("label", pa.string(), "its name in tables and figures"),
        column("unit", pa.string(), "its unit, empty for classes"),
        column("n", pa.int64(), "materials with a value"),
        column("missing", pa.int64(), "materials without a value"),
        column("mean", pa.float64(), "mean", OF_THE_OBJECTIVE, nullable=True),
        column("mad", pa.float64(), "mean absolute deviation from the mean", OF_THE_OBJECTIVE, nullable=True),
        column("zeros", pa.float64(), "share of values that are 0", nullable=True),
        column("lowest", pa.float64(), "lowest value", OF_THE_OBJECTIVE, nullable=True),
        column("highest", pa.float64(), "highest value", OF_THE_OBJECTIVE, nullable=True),
        column("classes", pa.map_(pa.string(), pa.int64()), "materials of each class; empty for numbers"),
    ]
)


def statistics_of(values: pd.Series, objective: Objective) -> dict[str, Any]:
    """Return the statistics of one objective, as a row of `STATISTICS`.

    Parameters
    ----------
    values
        Value of each material; missing ones are None or not finite.
    objective
        The objective, with its label and unit.
    """
    known = values[is_known(values, objective)]
    found = _of_classes(known, objective) if objective.classes else _of_numbers(known.to_numpy(np.float64))
    return {
        "objective": objective.column,
        **objective.shown,
        "n": len(known),
        "missing": len(values) - len(known),
        **found,
    }


def _of_numbers(values: np.ndarray) -> Mapping[str, Any]:
    if not len(values):
        return {**dict.fromkeys(("mean", "mad", "zeros", "lowest", "highest")), "classes": []}
    mean = float(values.mean())
    return {
        "mean": mean,
        "mad": float(np.abs(values - mean).mean()),
        "zeros": float((values == 0).mean()),
        "lowest": float(values.min()),
        "highest": float(values.max()),
        "classes": [],
    }


def _of_classes(values: pd.Series, objective: Objective) -> Mapping[str, Any]:
    counts = values.value_counts()
    return {
        **dict.fromkeys(("mean", "mad", "zeros", "lowest", "highest")),
        "classes": [(name, int(counts.get(name, 0))) for name in objective.classes],
    }
