"""Tested comparisons of several facets, the best single facet and the best baseline."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from polyfacet.evaluation.choices import LOSS_UNIT
from polyfacet.evaluation.corrected_t import ALPHA, CorrectedMean, holm
from polyfacet.evaluation.equal_repeats import SAME_TEST_PART, objectives_with_equal_repeats
from polyfacet.evaluation.roles import BASELINE, MULTI, SINGLE
from polyfacet.evaluation.tables import CELL
from polyfacet.runtime.parquet import column
from polyfacet.training.cells import IDENTITY

# The first of each pair is better if its loss is smaller.
COMPARISONS = {
    f"{first} vs {second}": (first, second)
    for first, second in ((MULTI, SINGLE), (MULTI, BASELINE), (SINGLE, BASELINE))
}
# Differences of less than this share of the rival's loss do not matter in practice.
MARGIN = 0.02
BETTER, WORSE, EQUAL, UNDECIDED = VERDICTS = ("better", "worse", "practically equal", "undecided")
NO_SPREAD = "the difference is the same in every repeat: without spread there is no t-test"
_DESCRIBED = {
    SINGLE: "cell of a single facet",
    MULTI: "cell of several facets",
    BASELINE: "baseline",
}


def _loss(name: str, meaning: str) -> pa.Field:
    return column(name, pa.float64(), meaning, LOSS_UNIT, nullable=True)


def _p(name: str, meaning: str) -> pa.Field:
    return column(name, pa.float64(), meaning, nullable=True)


TESTS = pa.schema(
    [
        *(field for field in IDENTITY if field.name in ("source", "split", "objective")),
        column("comparison", pa.string(), "roles of the compared cells, chosen on validation rows"),
        column("n_repeats", pa.int64(), "repeats in which both have a loss"),
        _loss("loss", "mean loss of the first on the test part"),
        _loss("rival_loss", "mean loss of the second, the rival"),
        _loss("difference", "mean of loss - rival_loss over the repeats; negative if the first is better"),
        _loss("low", "lower limit of its 95 % interval"),
        _loss("high", "upper limit of its 95 % interval"),
        _loss("margin", f"differences below it do not matter: {MARGIN:.0%} of rival_loss"),
        _p("p", "corrected resampled t-test of difference 0, two-sided"),
        _p("p_holm", "the same, Holm-corrected over the objectives"),
        _p("p_equal", "two one-sided tests of a difference of at least the margin"),
        _p("p_equal_holm", "the same, Holm-corrected over the objectives"),
        column("verdict", pa.string(), ", ".join(VERDICTS)),
        column("reason", pa.string(), "why there is no test", nullable=True),
        column("chosen", pa.string(), "what was chosen most often for the first, in how many of n_repeats"),
        column("rival_chosen", pa.string(), "the same for the rival; without n_repeats, of all repeats"),
        column(
            "left_out", pa.string(), "repeats in which one of the two has no loss, and why", nullable=True
        ),
    ]
)


def compare_roles(choices: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """Test the differences between the chosen cells of two roles over the repeats.

    Parameters
    ----------
    choices
        Result of `polyfacet.evaluation.choices.choose`.
    cells
        Table of ``CELLS``: each objective on each split gets a verdict.

    Returns
    -------
    pandas.DataFrame
        Rows of ``TESTS``.
    """
    keys = ["source", "split", "objective"]
    equal = objectives_with_equal_repeats(cells)
    of_objective: dict[Any, pd.DataFrame] = dict(iter(cells.groupby(keys, sort=False)))
    found: dict[Any, pd.DataFrame] = dict(iter(choices.groupby([*keys, "role"], sort=False)))
    rows = [
        {
            **dict(zip(keys, key, strict=True)),
            "comparison": name,
            **_compared(
                {role: found.get((*key, role), choices[:0]) for role in roles},
                of_objective[key],
                key in equal,
            ),
        }
        for name, roles in COMPARISONS.items()
        for key in of_objective
    ]
    table = pd.DataFrame(rows, columns=[name for name in TESTS.names if not name.endswith("_holm")])
    for name in ("p", "p_equal"):
        p = table[name].to_numpy(dtype=np.float64)
        corrected = np.full(len(p), np.nan)
        for family in table.groupby(["source", "split", "comparison"], sort=False).indices.values():
            corrected[family] = holm(p[family])
        table[f"{name}_holm"] = corrected
    verdicts = [_verdict(row) for _, row in table.iterrows()]
    return table.assign(verdict=verdicts)[TESTS.names]


def paired(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """Pair the choices of two roles for one objective, of the repeats in which both have a loss.

    Parameters
    ----------
    first, second
        Rows of `polyfacet.evaluation.choices.CHOICES`.

    Returns
    -------
    pandas.DataFrame
        Columns of the first; those of the second end in ``_rival``.
    """
    pairs = first.merge(second, on="repeat", suffixes=("", "_rival"))
    return pairs[pairs[["test_loss", "test_loss_rival"]].notna().all(axis=1)]


def _compared(
    chosen: Mapping[str, pd.DataFrame], cells: pd.DataFrame, has_equal_repeats: bool
) -> dict[str, Any]:
    """Compare the chosen cells of two roles for one objective, without correction for several objectives."""
    first, second = chosen.values()
    found = {
        "chosen": _most_often(first),
        "rival_chosen": _most_often(second),
        "left_out": None,
        "n_repeats": 0,
        "reason": None,
    }
    if missing := [role for role, own in chosen.items() if own.empty]:
        return found | {"reason": _why_nothing_was_chosen(missing[0], cells)}
    pairs = paired(first, second)
    left_out = _left_out(first, second, cells["repeat"].unique())
    if pairs.empty:
        return found | {"reason": f"no repeat has a loss: {left_out}"}
    loss, rival = pairs["test_loss"].to_numpy(), pairs["test_loss_rival"].to_numpy()
    fitted = np.minimum(pairs["n_train"], pairs["n_train_rival"])
    mean = CorrectedMean.of(loss - rival, float((pairs["n_test"] / fitted).mean()))
    margin = MARGIN * float(rival.mean())
    described = found | {
        "chosen": _most_often(first[first["repeat"].isin(pairs["repeat"])]),
        "rival_chosen": _most_often(second[second["repeat"].isin(pairs["repeat"])]),
        "left_out": left_out,
        "n_repeats": len(pairs),
        "reason": _why_not_tested(pairs, has_equal_repeats) or (None if mean.has_spread else NO_SPREAD),
        "loss": loss.mean(),
        "rival_loss": rival.mean(),
        "difference": mean.mean,
        "margin": margin,
    }
    if described["reason"]:
        return described
    low, high = mean.interval()
    return described | {
        "low": low,
        "high": high,
        "p": mean.p_different(),
        "p_equal": mean.p_equivalent(margin),
    }


def _why_nothing_was_chosen(role: str, cells: pd.DataFrame) -> str:
    """Say why no cell of an objective could be chosen for a role."""
    own = cells[cells[f"role_{role}"]]
    is_untrained = own["untrained"].map(len) > 0
    is_control = is_untrained.groupby([own[name] for name in CELL]).transform("any")
    if len(own) and is_control.all():
        why = "in at least one repeat, the encoder of one of its facets is untrained"
        return f"every {_DESCRIBED[role]} is a control: {why}"
    but = " other than controls, whose encoders are untrained," if is_control.any() else ""
    return f"no {_DESCRIBED[role]}{but} has predictions for validation and test rows of every repeat"


def _left_out(first: pd.DataFrame, second: pd.DataFrame, repeats: Iterable[int]) -> str | None:
    """Name the repeats in which the choices of one role or the other have no loss, and say why."""
    reasons: dict[str, list[str]] = {}
    for repeat in sorted(repeats):
        sides = [own[own["repeat"] == repeat] for own in (first, second)]
        own = pd.concat(sides)
        if any(side.empty for side in sides):
            reason = "the candidates have no validation row in common"
        elif (own["n_test"] == 0).any():
            reason = "there is no test row that all cells predicted"
        elif own["test_loss"].isna().any():
            reason = "all test values are equal"
        else:
            continue
        reasons.setdefault(reason, []).append(str(repeat))
    return "; ".join(f"repeat {', '.join(own)}: {reason}" for reason, own in reasons.items()) or None


def _why_not_tested(pairs: pd.DataFrame, has_equal_repeats: bool) -> str | None:
    if len(pairs) < 2:
        return "one repeat"
    if has_equal_repeats:
        return SAME_TEST_PART
    same = all((pairs[name] == pairs[f"{name}_rival"]).all() for name in ("method", "combination"))
    return "the same cell was chosen for both in every repeat" if same else None


def _most_often(choices: pd.DataFrame) -> str:
    """Name the cell that was chosen most often, and in how many repeats; empty if there is none."""
    if choices.empty:
        return ""
    counts = choices.groupby(["method", "combination"], sort=False).size()
    name = " ".join(counts.index[int(counts.argmax())])
    return f"{name} ({counts.max()} of {len(choices)})"


def _verdict(row: pd.Series) -> str:
    """Derive the verdict from the corrected p values; undecided if there are none."""
    if math.isnan(row["p_holm"]):
        return UNDECIDED
    if row["p_equal_holm"] < ALPHA:
        return EQUAL
    if row["p_holm"] < ALPHA and abs(row["difference"]) > row["margin"]:
        return BETTER if row["difference"] < 0 else WORSE
    return UNDECIDED
