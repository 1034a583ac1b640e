"""Scores of all cells of a run, each on the test rows that all of its rivals predicted, with intervals."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from polyfacet.evaluation.bootstrap import N_DRAWS, Array, Resamples, draw_formulas
from polyfacet.evaluation.common_rows import common_rows, rivals
from polyfacet.evaluation.formulas import Formulas
from polyfacet.evaluation.intervals import Draws, resampled_scores, with_intervals, with_intervals_of_means
from polyfacet.evaluation.means import compare
from polyfacet.evaluation.scores import scores_of_cell, with_means_over_objectives
from polyfacet.evaluation.tables import LIMITS, SCORES, SHARED_LIMITS, SUMMARY

# Columns of predictions that scores are computed from.
SCORED = ["part", "y_true", "y_pred", "true_class", "predicted_class"]


def score(
    cells: Sequence[Mapping[str, Any]],
    tested: Sequence[pd.DataFrame],
    formulas: Mapping[str, Formulas],
    reference: str | None,
    seed: int,
    n_draws: int = N_DRAWS,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Score the cells of a run.

    Parameters
    ----------
    cells
        Rows of ``CELLS``.
    tested
        For each cell, the columns `SCORED` of its predictions for the test part, with the positions of the
        materials in their source as the index.
    formulas
        Formulas of the materials of each source.
    reference
        Method that the others are compared with; None for none.
    seed
        Seed of the intervals.
    n_draws
        Number of draws for the intervals.

    Returns
    -------
    tuple of pandas.DataFrame
        Rows of ``SCORES`` and of ``SUMMARY``, in the order of the cells.
    """
    drawn = {source: draw_formulas(own.n_formulas, seed, n_draws) for source, own in formulas.items()}
    rows: dict[int, list[dict[str, Any]]] = {}
    found: dict[int, dict[str, Array]] = {}
    for own in rivals(cells):
        ok = [position for position in own if cells[position]["status"] == "ok"]
        common = dict(zip(ok, common_rows(tested[position] for position in ok), strict=True))
        for position in own:
            test = common.get(position, tested[position])
            rows[position] = list(scores_of_cell(cells[position], test))
        if ok and len(common[ok[0]]):
            source = cells[ok[0]]["source"]
            resamples = Resamples(drawn[source], formulas[source].numbers[common[ok[0]].index])
            draws = resampled_scores([cells[position] for position in ok], list(common.values()), resamples)
            found |= dict(zip(ok, draws, strict=True))
    # If all cells failed, nothing else shows that a missing value is a number.
    flat = [row for position in range(len(cells)) for row in rows[position]]
    columns = [name for name in SCORES.names if name not in LIMITS]
    scores = with_means_over_objectives(pd.DataFrame(flat, columns=columns).astype({"value": float}))
    resampled = Draws.of(cells, found).with_means_over_objectives()
    columns = [name for name in SUMMARY.names if name not in (*LIMITS, *SHARED_LIMITS)]
    summary = compare(scores, reference).reindex(columns=columns)
    return with_intervals(scores, resampled), with_intervals_of_means(summary, resampled)
