"""Results of experiments: small tables that grow by one repeat at a time."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from benchmarks.joint.materials import Materials
from benchmarks.joint.networks import Array, Predictions

from polyfacet.evaluation.metrics import scores_of_numbers
from polyfacet.runtime.parquet import column, read_table, write_table
from polyfacet.splits.parts import TEST

RESULTS = pa.schema(
    [
        column("repeat", pa.int64(), "repeat of the split"),
        column("model", pa.string(), "what was trained"),
        column("condition", pa.string(), "what was done to the rows; empty for nothing"),
        column("subset", pa.string(), "facets that predictions are made from, joined by +; empty for none"),
        column("facet", pa.string(), "facet that the value is about; empty for none"),
        column("objective", pa.string(), "objective that the value is about; empty for all"),
        column("quantity", pa.string(), "what was measured"),
        column("value", pa.float64(), "the value", nullable=True),
    ]
)
MASE = "mase"
# Rows of ``RESULTS`` without a repeat; missing keys are empty.
Rows = list[dict[str, Any]]


class Results:
    """The kept results of the experiments.

    Parameters
    ----------
    folder
        Folder of a table per experiment.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def finished(self, experiment: str, models: Iterable[str] = ()) -> set[int]:
        """Return the repeats of an experiment that are finished: that have results of some models."""
        known = self[experiment].groupby("repeat")["model"].agg(set)
        return {int(repeat) for repeat, found in known.items() if found >= set(models)}

    def add(self, experiment: str, repeat: int, rows: Rows) -> None:
        """Add a repeat, or replace it."""
        new = pd.DataFrame([dict.fromkeys(RESULTS.names, "") | {"repeat": repeat} | row for row in rows])
        known = self[experiment]
        parts = [each for each in (known[known["repeat"] != repeat], new) if len(each)]
        found = pd.concat(parts).sort_values("repeat", kind="stable", ignore_index=True)
        write_table(self._path(experiment), found.astype({"value": float}), RESULTS)

    def __getitem__(self, experiment: str) -> pd.DataFrame:
        """Return the results of an experiment."""
        path = self._path(experiment)
        return read_table(path, RESULTS) if path.exists() else RESULTS.empty_table().to_pandas()

    def _path(self, experiment: str) -> Path:
        return self.folder / f"{experiment}.parquet"


def errors(materials: Materials, model: str, subset: str, predicted: Array, condition: str = "") -> Rows:
    """Return the MASE of each objective on the test rows."""
    rows = []
    for number, objective in enumerate(materials.objectives):
        true = materials.truth(TEST)[:, number]
        known = np.isfinite(true)
        value = scores_of_numbers(true[known], predicted[known, number])[MASE]
        named = {"model": model, "condition": condition, "subset": subset, "objective": objective.column}
        rows.append({**named, "quantity": MASE, "value": value})
    return rows


def errors_of_subsets(
    materials: Materials, model: str, predictions: Predictions, condition: str = ""
) -> Rows:
    """Return the MASE of each objective from each subset of the facets."""
    return [
        row
        for subset, predicted in predictions.items()
        for row in errors(materials, model, subset, predicted, condition)
    ]


def quantities(model: str, named: Iterable[tuple[str, float]], **keys: str) -> Rows:
    """Return values that are no errors."""
    return [{"model": model, **keys, "quantity": quantity, "value": value} for quantity, value in named]
