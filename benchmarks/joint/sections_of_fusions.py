"""Sections of the page: fusions, and their shares of facets."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from benchmarks.joint import texts
from benchmarks.joint.comparing import losses, test_over_train, values, verdicts
from benchmarks.joint.fusions import AVERAGE, DEFAULT, FUSIONS, MEDIAN, STACKING, VARIANTS
from benchmarks.joint.results import MASE
from benchmarks.joint.sections import Tables, in_repeats, number
from benchmarks.joint.shares import MEAN_GATES

from polyfacet.evaluation.verdicts import EQUAL, MARGIN, WORSE
from polyfacet.runtime.markdown import table


def fusions_section(tables: Tables, folder: Path, n_repeats: int) -> list[str]:
    """Compare all fusions: errors by number of facets, and costs."""
    results = tables["fusions"]
    of_repeats = losses(results, "subset").drop(index="", level="subset")
    # What some repeats have not tried would be compared on other splits.
    of_repeats = of_repeats.dropna(axis="columns")
    left_out = [f"`{name}`" for name in VARIANTS if name not in of_repeats]
    over_subsets = of_repeats.groupby("repeat").mean()
    n_facets = of_repeats.index.get_level_values("subset").str.count(r"\+") + 1
    by_size = of_repeats.groupby(n_facets).mean()
    tested = {}
    if len(over_subsets) > 1:
        rival = over_subsets[DEFAULT].to_numpy()
        own = {
            name: (over_subsets[name].to_numpy(), rival)
            for name in over_subsets
            if name not in (DEFAULT, MEDIAN)
        }
        tested = verdicts(own, test_over_train(results))
    costs = {
        name: results[results["quantity"] == name].groupby("model")["value"].mean()
        for name in ("weights", "seconds_per_epoch", "core_seconds")
    }
    order = [
        *(name for name in VARIANTS if name in over_subsets),
        *(name for name in over_subsets if name not in {*VARIANTS, MEDIAN}),
    ]
    sizes = list(by_size.index)
    lines = [
        [
            f"`{name}`",
            *(
                number(costs[cost].get(name, np.nan), form)
                for cost, form in (("weights", ",.0f"), ("seconds_per_epoch", ".3f"), ("core_seconds", ".0f"))
            ),
            *(number(by_size.loc[size, name]) for size in sizes),
            number(over_subsets[name].mean()),
            tested.get(name, "" if name == DEFAULT else "no test"),
        ]
        for name in order
    ]
    median = results[(results["model"] == MEDIAN) & (results["quantity"] == MASE)]["value"].mean()
    head = [
        "fusion",
        "weights",
        "s per epoch",
        "core-seconds",
        *(f"{size} facet{'s' * (size > 1)}" for size in sizes),
    ]
    return [
        "## Fusions",
        texts.FUSIONS,
        f"Always predicting the training median has a MASE of {median:.3f}.",
        _late_said(over_subsets, test_over_train(results), in_repeats(results, n_repeats)),
        *(
            [f"Not in the table, as some repeats have not tried them: {', '.join(left_out)}."]
            if left_out
            else []
        ),
        table([*head, "all subsets", f"against {DEFAULT}"], lines),
    ]


def _late_said(of_repeats: pd.DataFrame, ratio: float, repeats: str) -> str:
    """Say whether averages of predictions beat the fusions."""
    means = of_repeats.mean()
    fusions, late = means[means.index.intersection(list(FUSIONS))].sort_values(), means[STACKING]
    lower = fusions[fusions < late]
    said = f"`{STACKING}` has {late:.3f} on average over all subsets ({repeats})"
    best = str(fusions.index[0])
    if lower.empty:
        said += f", below every fusion: the best one, `{best}`, has {fusions.iloc[0]:.3f}."
    else:
        names = ", ".join(f"`{name}` ({value:.3f})" for name, value in lower.items())
        said += f"; {len(lower)} of {len(fusions)} fusions are lower: {names}."
    if len(of_repeats) > 1:
        pair = of_repeats[best].to_numpy(), of_repeats[STACKING].to_numpy()
        verdict = verdicts({best: pair}, ratio)[best]
        said += f" The best fusion, which these test rows chose, against it: {verdict}."
    n_above = int((fusions > means[AVERAGE]).sum())
    return (
        f"{said} Its weights have seen the validation rows, which no fusion has. With equal weights "
        f"(`{AVERAGE}`, {means[AVERAGE]:.3f}), the average is below {n_above or 'none'} of the fusions."
    )


def shares_section(tables: Tables, folder: Path, n_repeats: int) -> list[str]:
    """Compare shares with contributions."""
    results = tables["shares"]
    mean_rho = values(results, "rank_correlation", "objective").mean()
    inside = {
        name: results[results["quantity"] == name].groupby("model")["value"].mean()
        for name in ("rank_correlation_in_materials", "rank_correlation_of_mean_share")
    }
    shares, stds, over = (
        values(results, name, "facet") for name in ("share", "share_std", "rank_correlation_over_materials")
    )
    shapley = (
        results[results["quantity"] == "shapley"].groupby(["model", "facet"], sort=False)["value"].mean()
    )
    models = list(dict.fromkeys(results.loc[results["quantity"] == "share", "model"]))
    lines = []
    for name in models:
        for facet in shares.index:
            lines.append(
                [
                    f"`{name}`",
                    facet,
                    number(shapley[name, facet]),
                    number(shares.loc[facet, name]),
                    number(stds.loc[facet, name]),
                    number(over.loc[facet, name], "+.2f"),
                ]
            )
    agreement = [
        [
            f"`{name}`",
            number(mean_rho.get(name, np.nan), "+.2f"),
            *(number(each.get(name, np.nan), "+.2f") for each in inside.values()),
        ]
        for name in models
    ]
    gates = losses(results[results["quantity"] == MASE], "condition", "subset")
    pairs = values(results, "interaction", "subset")
    return [
        "## Shares of facets, and what facets contribute",
        texts.SHARES,
        table(
            ["fusion", "facet", "Shapley value", "mean share", "std over rows", "correlation over materials"],
            lines,
            n_left=2,
        ),
        texts.AGREEMENT,
        table(["fusion", "over objectives", "in materials", "the same with mean shares"], agreement),
        *_mean_gates(gates, test_over_train(results), in_repeats(results, n_repeats)),
        "Shapley interactions of pairs (negative: they tell the same):",
        table(
            ["pair", *(f"`{name}`" for name in pairs.columns)],
            [
                [str(pair).replace("+", " + "), *(number(value, "+.3f") for value in row)]
                for pair, row in zip(pairs.index, pairs.to_numpy(), strict=True)
            ],
        ),
    ]


def _mean_gates(gates: pd.DataFrame, ratio: float, repeats: str) -> list[str]:
    """Say what gates lose if all rows have the same ones."""
    if MEAN_GATES not in gates.index.unique("condition"):
        return []
    own, common = (
        gates.xs(condition, level="condition").groupby("repeat").mean() for condition in ("", MEAN_GATES)
    )
    gated = [name for name in common if not common[name].isna().any()]
    means = pd.DataFrame({"own": own[gated].mean(), "common": common[gated].mean()})
    loss = means["common"] / means["own"] - 1
    parts = [
        f"`{name}` {row['own']:.3f}, with mean gates {row['common']:.3f} ({100 * loss[name]:+.1f} %)"
        for name, row in means.iterrows()
    ]
    said = [
        f"MASE over all subsets with each row's gates, and with the mean gates of the training rows, seen "
        f"through the same facets ({repeats}): {'; '.join(parts)}."
    ]
    if len(own) > 1:
        pairs = {name: (common[name].to_numpy(), own[name].to_numpy()) for name in gated}
        tested = verdicts(pairs, ratio)
        said.append(f"Mean gates against own: {'; '.join(f'`{name}` {tested[name]}' for name in gated)}.")
        said += _dynamic_said(tested)
    return [" ".join(said)]


def _dynamic_said(tested: Mapping[str, str]) -> Iterator[str]:
    """Say whether the gates of single rows matter, given the verdicts on mean gates."""
    for verdict, what in (
        (EQUAL, "do as well: gates of single rows gain nothing, they are not dynamic"),
        (WORSE, "are worse: gates follow the row"),
    ):
        names = [f"`{name}`" for name, found in tested.items() if found.startswith(verdict)]
        if names:
            yield f"With a margin of {100 * MARGIN:.0f} %, the mean gates of {' and '.join(names)} {what}."
