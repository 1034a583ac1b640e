"""What each facet, and each pair of facets, contributes to the reduction of the loss."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from polyfacet.evaluation.choices import best
from polyfacet.evaluation.common_rows import RIVALS
from polyfacet.evaluation.corrected_t import CorrectedMean
from polyfacet.evaluation.equal_repeats import objectives_with_equal_repeats
from polyfacet.evaluation.losses import LOSS_UNIT
from polyfacet.evaluation.shapley import Array, interactions, shapley_values
from polyfacet.evaluation.tables import KEYS
from polyfacet.facets.registry import SEPARATOR, all_combinations, combination_name, facets_of, in_order
from polyfacet.runtime.parquet import column
from polyfacet.training.cells import IDENTITY, NO_FACET

# For each combination and repeat, the method that is best on the validation rows.  No method can have a name
# with spaces.
CHOSEN = "chosen on validation rows"
REDUNDANT, SYNERGISTIC, UNDECIDED = "redundant", "synergistic", "undecided"
# Two repeats may be nearly equal by chance: their spread labels no pair.
MIN_REPEATS = 3
# Loss of a cell that looks at nothing, if the run has no such method.
NO_SKILL = 1.0

_PLACE = (
    *(field for field in IDENTITY if field.name in ("source", "split")),
    column("method", pa.string(), f"method; {CHOSEN}: the best one for each combination"),
    *(field for field in IDENTITY if field.name == "objective"),
)
_LIMITS = (
    column("low", pa.float64(), "lower limit of its 95 % interval", LOSS_UNIT, nullable=True),
    column("high", pa.float64(), "upper limit of its 95 % interval", LOSS_UNIT, nullable=True),
    column("n_repeats", pa.int64(), "repeats in which all combinations have a loss"),
    column(
        "n_from_one",
        pa.int64(),
        "those of them in which no method without facets has a loss, so that the reduction starts from 1",
    ),
    column(
        "unused",
        pa.list_(pa.string()),
        "other sets of as many facets with all subsets, for which there are no values",
    ),
)
CONTRIBUTIONS = pa.schema(
    [
        *_PLACE,
        column("facet", pa.string(), "facet, or variant of one"),
        column("value", pa.float64(), "Shapley value: reduction of the loss by the facet", LOSS_UNIT),
        column("std", pa.float64(), "standard deviation over the repeats", LOSS_UNIT, nullable=True),
        *_LIMITS,
        column(
            "share",
            pa.float64(),
            "share of the reduction by all facets; none if they reduce nothing",
            nullable=True,
        ),
    ]
)
INTERACTIONS = pa.schema(
    [
        *_PLACE,
        column("facet", pa.string(), "first facet of the pair"),
        column("other", pa.string(), "second facet of the pair"),
        column("value", pa.float64(), "Shapley interaction index of the reduction of the loss", LOSS_UNIT),
        *_LIMITS,
        column(
            "kind",
            pa.string(),
            f"{REDUNDANT} (high < 0), {SYNERGISTIC} (low > 0) or {UNDECIDED} (otherwise, and with fewer than "
            f"{MIN_REPEATS} repeats)",
        ),
    ]
)


def attribute(
    cells: pd.DataFrame, validated: pd.DataFrame, tested: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Divide the reduction of the loss among the facets.

    Parameters
    ----------
    cells
        Table of ``CELLS``.
    validated
        Candidates, as `polyfacet.evaluation.losses.with_validation_losses` returns them.
    tested
        Result of `polyfacet.evaluation.losses.losses_on_test`.

    Returns
    -------
    tuple of pandas.DataFrame
        Rows of ``CONTRIBUTIONS`` and of ``INTERACTIONS``, for each method (and `CHOSEN`) and objective with
        all subsets of at least two facets.
    """
    losses = tested.merge(cells[[*KEYS, "n_train"]], on=KEYS, validate="one_to_one")
    chosen = best(validated, [*RIVALS, "combination"])[KEYS].merge(losses, on=KEYS)
    nothing = chosen[chosen["combination"] == NO_FACET].set_index(RIVALS)["loss"]
    equal = objectives_with_equal_repeats(cells)
    everything = pd.concat([losses, chosen.assign(method=CHOSEN)], ignore_index=True)
    everything = everything[everything["combination"] != NO_FACET]
    shares: list[dict[str, Any]] = []
    pairs: list[dict[str, Any]] = []
    by = ["source", "split", "method", "objective"]
    for key, rows in everything.groupby(by, sort=False):
        place = dict(zip(by, key, strict=True))
        # A method with the most facets may be trained on some objectives only.
        sets = complete_facets(rows["combination"])
        if not sets:
            continue
        facets, *unused = sets
        worth, test_to_train, n_from_one = _reductions(rows, facets, nothing)
        if len(worth):
            others = [SEPARATOR.join(names) for names in unused]
            known = {**place, "n_from_one": n_from_one, "unused": others}
            # Repeats on the same materials have no spread to derive an interval from.
            is_equal = (place["source"], place["split"], place["objective"]) in equal
            ratio = np.nan if is_equal else test_to_train
            shares += [known | row for row in _contributions(worth, facets, ratio)]
            pairs += [known | row for row in _interactions(worth, facets, ratio)]
    return (
        pd.DataFrame(shares, columns=CONTRIBUTIONS.names),
        pd.DataFrame(pairs, columns=INTERACTIONS.names),
    )


def complete_facets(available: Iterable[str]) -> list[list[str]]:
    """Return the largest sets of two or more facets all of whose combinations are available.

    There may be several, such as those with different variants of a facet.
    """
    known = set(available)
    facets = in_order(facet for name in known for facet in facets_of(name))
    for size in range(len(facets), 1, -1):
        complete = [
            [facet.name for facet in subset]
            for subset in combinations(facets, size)
            if len({facet.base for facet in subset}) == size
            and combination_name(subset) in known
            and known.issuperset(all_combinations(subset))
        ]
        if complete:
            return complete
    return []


def _reductions(rows: pd.DataFrame, facets: Sequence[str], nothing: pd.Series) -> tuple[Array, float, int]:
    """Return the reduction of the loss by each coalition of facets.

    Parameters
    ----------
    rows
        Losses of the combinations of one method for one objective, in all repeats.
    facets
        Names of the facets; facet i is in the coalitions whose bit i is set.
    nothing
        Loss of the best cell without facets, by `RIVALS`.

    Returns
    -------
    tuple of numpy.ndarray, float and int
        Reductions, shape ``(repeats, 2^n)``, of the repeats in which all combinations have a loss; the mean
        ratio of test to training rows; and the number of repeats that start from `NO_SKILL`.
    """
    names = [
        SEPARATOR.join(name for bit, name in enumerate(facets) if coalition >> bit & 1)
        for coalition in range(1, 2 ** len(facets))
    ]
    loss = rows.pivot(index=RIVALS, columns="combination", values="loss").reindex(columns=names).dropna()
    used = rows[rows["combination"].isin(names)].set_index(RIVALS)
    ratio = (used["n_test"] / used["n_train"]).groupby(level=RIVALS).max().reindex(loss.index)
    without = nothing.reindex(loss.index)
    reduction = without.fillna(NO_SKILL).to_numpy()[:, np.newaxis] - loss.to_numpy()
    worth = np.column_stack([np.zeros(len(loss)), reduction])
    return worth, float(ratio.mean()), int(without.isna().sum())


def _contributions(worth: Array, facets: Sequence[str], ratio: float) -> Iterator[dict[str, Any]]:
    values = shapley_values(worth)
    total = float(values.sum(axis=1).mean())
    for name, own in zip(facets, values.T, strict=True):
        mean = _summary(own, ratio)
        yield {
            "facet": name,
            **mean,
            "std": own.std(ddof=1) if len(own) > 1 else None,
            "share": mean["value"] / total if total > 0 else None,
        }


def _interactions(worth: Array, facets: Sequence[str], ratio: float) -> Iterator[dict[str, Any]]:
    values = interactions(worth)
    for first, second in combinations(range(len(facets)), 2):
        mean = _summary(values[:, first, second], ratio)
        yield {"facet": facets[first], "other": facets[second], **mean, "kind": _kind(mean)}


def _kind(mean: Mapping[str, Any]) -> str:
    if mean["n_repeats"] < MIN_REPEATS:
        return UNDECIDED
    return REDUNDANT if mean["high"] < 0 else SYNERGISTIC if mean["low"] > 0 else UNDECIDED


def _summary(values: Array, ratio: float) -> dict[str, Any]:
    mean = CorrectedMean.of(values, ratio)
    low, high = mean.interval()
    return {"value": mean.mean, "low": low, "high": high, "n_repeats": mean.n_repeats}
