"""Means over objectives and repeats, and tested differences."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from benchmarks.joint.results import MASE

from polyfacet.evaluation.corrected_t import ALPHA, CorrectedMean, holm
from polyfacet.evaluation.verdicts import BETTER, EQUAL, MARGIN, UNDECIDED, WORSE

N_TEST, N_TRAIN_PART = "n_test", "n_train_part"


def losses(results: pd.DataFrame, *keys: str) -> pd.DataFrame:
    """Return the MASE, mean over objectives.

    Parameters
    ----------
    results
        Rows of ``RESULTS``.
    keys
        Columns, apart from repeat and model, that tell losses apart.

    Returns
    -------
    pandas.DataFrame
        Named by repeat and the keys; a column per model, NaN where it has no value for some objective.
    """
    own = results[results["quantity"] == MASE]
    if own.empty:
        return pd.DataFrame()
    return own.groupby(["repeat", *keys, "model"], sort=False)["value"].agg(_strict_mean).unstack("model")


def values(results: pd.DataFrame, quantity: str, *keys: str) -> pd.DataFrame:
    """Return a quantity, mean over repeats: named by keys, a column per model."""
    own = results[results["quantity"] == quantity]
    return own.groupby([*keys, "model"], sort=False)["value"].agg(_strict_mean).unstack("model")


def test_over_train(results: pd.DataFrame) -> float:
    """Return the number of test rows over that of training rows."""
    sizes = [results.loc[results["quantity"] == name, "value"].mean() for name in (N_TEST, N_TRAIN_PART)]
    return float(sizes[0] / sizes[1])


def verdicts(pairs: Mapping[str, tuple[np.ndarray, np.ndarray]], ratio: float) -> dict[str, str]:
    """Say of several pairs of losses which is lower.

    Parameters
    ----------
    pairs
        Name of a pair to the losses of both in each repeat; tests are corrected for the number of pairs.
    ratio
        Number of test rows over that of training rows.

    Returns
    -------
    dict
        Name to verdict on the first of the pair and, in brackets, the mean difference.
    """
    means = {name: CorrectedMean.of(first - rival, ratio) for name, (first, rival) in pairs.items()}
    margins = {name: MARGIN * float(np.mean(rival)) for name, (_, rival) in pairs.items()}
    p = holm([mean.p_different() for mean in means.values()])
    p_equal = holm([mean.p_equivalent(margins[name]) for name, mean in means.items()])
    found = {}
    for (name, mean), different, equal in zip(means.items(), p, p_equal, strict=True):
        verdict = UNDECIDED
        if equal < ALPHA:
            verdict = EQUAL
        elif different < ALPHA and abs(mean.mean) > margins[name]:
            verdict = BETTER if mean.mean < 0 else WORSE
        found[name] = f"{verdict} ({mean.mean:+.3f})"
    return found


def _strict_mean(own: pd.Series) -> float:
    return float(own.mean(skipna=False))
