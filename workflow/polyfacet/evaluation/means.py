"""Mean and spread of scores over the repeats of a split."""

import pandas as pd

from polyfacet.evaluation.score_names import LOWER_IS_BETTER
from polyfacet.evaluation.scores import UNDEFINED
from polyfacet.evaluation.shared_repeats import is_shared
from polyfacet.evaluation.tables import CELL

_SCORE = [*CELL, "class", "metric"]


def compare(scores: pd.DataFrame, reference: str | None) -> pd.DataFrame:
    """Compute mean and spread over the repeats, and how often each method beats the reference.

    Parameters
    ----------
    scores
        Table of ``SCORES``.
    reference
        Method that the others are compared with, repeat by repeat, in its best combination; None for none.

    Returns
    -------
    pandas.DataFrame
        One row per source, split, method, combination, objective, class and metric: ``mean``, ``std`` (sample
        standard deviation; NaN for one repeat), ``n`` (repeats), ``wins`` (repeats with a better score than
        the reference, failed ones excluded; missing if a repeat of the reference has no value), in the
        order of first occurrence; ``shared_mean``, ``shared_std`` and ``shared_n``, the same over the repeats
        that all methods of the objective have.  Mean and spread are missing if a repeat failed.  Repeats in
        which a score is not defined for any cell, because all test values are equal, are left out, and ``n``
        does not count them.
    """
    scores = scores[~_is_undefined_for_all(scores)]
    table = _over_repeats(scores)
    shared = _over_repeats(scores[is_shared(scores)]).add_prefix("shared_")
    table = table.join(shared).fillna({"shared_n": 0}).astype({"shared_n": int})
    if reference is not None:
        at = ["source", "split", "repeat", "objective", "class", "metric"]
        sign = scores["metric"].isin(LOWER_IS_BETTER).map({True: -1, False: 1})
        own = scores.assign(signed=sign * scores["value"])[scores["method"] == reference]
        against = own.groupby(at)["signed"].max()
        theirs = pd.Series(against.reindex(pd.MultiIndex.from_frame(scores[at])).to_numpy(), scores.index)
        better = (sign * scores["value"] > theirs).astype(float).where(theirs.notna())
        of_cells = better.groupby([scores[name] for name in _SCORE], sort=False)
        table["wins"] = of_cells.agg(lambda values: values.sum(skipna=False))
    return table.reset_index()


def _over_repeats(scores: pd.DataFrame) -> pd.DataFrame:
    groups = scores.groupby(_SCORE, sort=False)["value"]
    return pd.DataFrame(
        {
            "mean": groups.agg(lambda values: values.mean(skipna=False)),
            "std": groups.agg(lambda values: values.std(skipna=False)),
            "n": groups.size(),
        }
    )


def _is_undefined_for_all(scores: pd.DataFrame) -> pd.Series:
    """Return whether a score is undefined in a repeat in which no cell has it, and another repeat has it.

    All cells lack it alike, so that means over the other repeats still compare them.  A cell that failed in
    this repeat keeps its row: its mean is missing.
    """
    place = [scores[name] for name in ("source", "split", "objective", "class", "metric")]
    missing = scores["value"].isna()
    no_cell_has_it = missing.groupby([*place, scores["repeat"]]).transform("all")
    is_ever_defined = (~missing).groupby(place).transform("any")
    return no_cell_has_it & is_ever_defined & (scores["reason"] == UNDEFINED)
