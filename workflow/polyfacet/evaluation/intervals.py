"""Intervals of the scores of a run: of each repeat, and of the means over repeats and objectives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pandas as pd

from polyfacet.evaluation.bootstrap import N_DRAWS, Array, Resamples, interval
from polyfacet.evaluation.score_names import ALL
from polyfacet.evaluation.scores import has_every_objective
from polyfacet.evaluation.shared_repeats import is_shared
from polyfacet.evaluation.tables import CELL, KEYS, LIMITS, SHARED_LIMITS

_SCORE = ["class", "metric"]
OF_NUMBERS, OF_CLASSES = ("mae", "mase"), ("accuracy", "macro_f1")


def resampled_scores(
    cells: Sequence[Mapping[str, Any]], test: Sequence[pd.DataFrame], resamples: Resamples
) -> list[dict[str, Array]]:
    """Compute the scores of rivals in each draw.

    Parameters
    ----------
    cells
        Rows of ``CELLS``, all of one objective and repeat.
    test
        Their predictions for the same materials in the same order; see `common_rows`.
    resamples
        Draws of these materials.

    Returns
    -------
    list of dict
        For each cell, metric to its value in each draw, shape ``(draws,)``; NaN with only one formula, of
        which all draws are alike.
    """
    classes = list(cells[0]["classes"])
    names = OF_CLASSES if classes else OF_NUMBERS
    if resamples.n_formulas < 2:
        return [dict.fromkeys(names, np.full(resamples.n_draws, np.nan)) for _ in cells]
    compute = _of_classes if classes else _of_numbers
    first, second = compute(test, classes, resamples)
    return [dict(zip(names, pair, strict=True)) for pair in zip(first, second, strict=True)]


def _of_numbers(
    test: Sequence[pd.DataFrame], classes: list[str], resamples: Resamples
) -> tuple[Array, Array]:
    true = test[0]["y_true"].to_numpy(dtype=np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        errors = np.abs(np.stack([table["y_pred"].to_numpy(dtype=np.float64) for table in test]) - true)
        mae = resamples.mean(errors)
        return mae, mae / resamples.mean_absolute_deviation(true)


def _of_classes(
    test: Sequence[pd.DataFrame], classes: list[str], resamples: Resamples
) -> tuple[Array, Array]:
    code = {name: number for number, name in enumerate(classes)}
    true = test[0]["true_class"].map(code).to_numpy(dtype=np.int64)
    predicted = np.stack([table["predicted_class"].map(code).to_numpy(dtype=np.int64) for table in test])
    accuracy = resamples.mean((predicted == true).astype(np.float64))
    return accuracy, resamples.macro_f1(true, predicted, len(classes))


@dataclass(frozen=True)
class Draws:
    """Resampled scores of all cells of a run.

    Attributes
    ----------
    table
        Identity of each score: the keys of a cell, ``class`` and ``metric``.
    values
        The score in each draw, shape ``(scores, draws)``; NaN for failed cells.
    """

    table: pd.DataFrame
    values: Array

    @classmethod
    def of(cls, cells: Sequence[Mapping[str, Any]], found: Mapping[int, Mapping[str, Array]]) -> "Draws":
        """Collect the results of `resampled_scores`, by position of the cell; failed cells have none."""
        missing = np.full(
            next((len(draws) for own in found.values() for draws in own.values()), N_DRAWS), np.nan
        )
        rows, values = [], []
        for position, cell in enumerate(cells):
            for metric in OF_CLASSES if len(cell["classes"]) else OF_NUMBERS:
                rows.append({**{name: cell[name] for name in KEYS}, "class": ALL, "metric": metric})
                values.append(found.get(position, {}).get(metric, missing))
        table = pd.DataFrame(rows, columns=[*KEYS, *_SCORE])
        return cls(table, np.array(values).reshape(len(rows), len(missing)))

    def with_means_over_objectives(self) -> "Draws":
        """Append the mean MASE over the objectives of each split that has several; see `scores`."""
        of_numbers = self.table[self.table["metric"] == "mase"]
        own = of_numbers[has_every_objective(of_numbers)]
        if own.empty:
            return self
        keys = [name for name in self.table.columns if name != "objective"]
        means = self._means(own, keys)
        table = pd.DataFrame(list(means), columns=keys).assign(objective=ALL)[list(self.table.columns)]
        values = np.array(list(means.values())).reshape(len(means), self.values.shape[1])
        return Draws(pd.concat([self.table, table], ignore_index=True), np.concatenate([self.values, values]))

    def in_shared_repeats(self) -> "Draws":
        """Select the scores of the repeats that all rivals have."""
        chosen = is_shared(self.table).to_numpy()
        return Draws(self.table[chosen].reset_index(drop=True), self.values[chosen])

    def limits(self, keys: Sequence[str]) -> pd.DataFrame:
        """Return ``low`` and ``high`` of the means over all that differs in other columns than ``keys``."""
        means = self._means(self.table, keys)
        rows = [(*key, *interval(draws)) for key, draws in means.items()]
        return pd.DataFrame(rows, columns=[*keys, "low", "high"])

    def _means(self, table: pd.DataFrame, keys: Sequence[str]) -> dict[tuple[Any, ...], Array]:
        groups = table.groupby(list(keys), sort=False).indices
        positions = table.index.to_numpy()
        means = {key: self.values[positions[own]].mean(axis=0) for key, own in groups.items()}
        return cast("dict[tuple[Any, ...], Array]", means)


def with_intervals(scores: pd.DataFrame, draws: Draws) -> pd.DataFrame:
    """Add the intervals of each repeat to a table of ``SCORES``."""
    keys = [*KEYS, *_SCORE]
    return scores.merge(draws.limits(keys), on=keys, how="left", validate="one_to_one")


def with_intervals_of_means(summary: pd.DataFrame, draws: Draws) -> pd.DataFrame:
    """Add the intervals of the means over the repeats to a table of ``SUMMARY``."""
    keys = [name for name in [*CELL, *_SCORE] if name != "run"]
    shared = draws.in_shared_repeats().limits(keys)
    shared = shared.rename(columns=dict(zip(LIMITS, SHARED_LIMITS, strict=True)))
    for limits in (draws.limits(keys), shared):
        summary = summary.merge(limits, on=keys, how="left", validate="one_to_one")
    return summary
