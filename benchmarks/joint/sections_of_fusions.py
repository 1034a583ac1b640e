"""Sections of the page: fusions, their shares of facets, and robustness."""

from pathlib import Path

import numpy as np
import pandas as pd
from benchmarks.joint import texts
from benchmarks.joint.comparing import losses, test_over_train, values, verdicts
from benchmarks.joint.figures import draw_lines
from benchmarks.joint.fusions import ABLATIONS, DEFAULT, FUSIONS, MEDIAN
from benchmarks.joint.results import MASE
from benchmarks.joint.robustness import DISTURBED, HIDDEN_IN_TEST, HIDDEN_IN_TRAINING, NOISE, SWAPPED
from benchmarks.joint.sections import Tables, number
from benchmarks.joint.shares import MEAN_GATES

from polyfacet.runtime.markdown import table


def fusions_section(tables: Tables, folder: Path) -> list[str]:
    """Compare all fusions: errors by number of facets, and costs."""
    results = tables["fusions"]
    of_repeats = losses(results, "subset").drop(index="", level="subset")
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
        *FUSIONS,
        *ABLATIONS,
        *(name for name in over_subsets if name not in {*FUSIONS, *ABLATIONS, MEDIAN}),
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
        table([*head, "all subsets", f"against {DEFAULT}"], lines),
    ]


def shares_section(tables: Tables, folder: Path) -> list[str]:
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
        _mean_gates(gates),
        "Shapley interactions of pairs (negative: they tell the same):",
        table(
            ["pair", *(f"`{name}`" for name in pairs.columns)],
            [
                [str(pair).replace("+", " + "), *(number(value, "+.3f") for value in row)]
                for pair, row in zip(pairs.index, pairs.to_numpy(), strict=True)
            ],
        ),
    ]


def _mean_gates(gates: pd.DataFrame) -> str:
    """Say what gates lose if all rows have the same ones."""
    means = gates.groupby("condition").mean()
    parts = [
        f"`{name}` {means.loc['', name]:.3f}, with mean gates {means.loc[MEAN_GATES, name]:.3f}"
        for name in means
        if MEAN_GATES in means.index and not pd.isna(means.loc[MEAN_GATES, name])
    ]
    return (
        "MASE over all subsets with each row's gates, and with the mean gates of the training rows: "
        + "; ".join(parts)
        + "."
    )


def robustness_section(tables: Tables, folder: Path) -> list[str]:
    """Show curves of missing facets, and what noise and wrong facets do."""
    results = tables["robustness"]
    parts = ["## Missing, noisy and wrong facets"]
    parts += _training_curve(results, tables["fusions"], folder)
    parts += _test_curve(results, folder)
    return parts + _disturbances(results)


def _training_curve(results: pd.DataFrame, complete: pd.DataFrame, folder: Path) -> list[str]:
    own = results[results["condition"].str.startswith(HIDDEN_IN_TRAINING)]
    curve = losses(own, "condition", "subset").groupby(["condition"]).mean()
    curve.index = [float(name.split()[-1]) for name in curve.index]
    curve = curve.sort_index()
    if len(complete):
        both = losses(complete[complete["model"] == DEFAULT], "subset").mean()
        curve = pd.concat([pd.DataFrame([dict.fromkeys(curve, both[DEFAULT])], index=[0.0]), curve])
    draw_lines(folder / "hidden-in-training.svg", curve, "share of facets hidden in training")
    rows = values(own, "n_train", "condition")
    rows.index = [float(name.split()[-1]) for name in rows.index]
    lines = [
        [
            f"{share:g}",
            *(number(value) for value in row),
            *(number(rows[name].get(share, np.nan), ".0f") for name in rows),
        ]
        for share, row in zip(curve.index, curve.to_numpy(), strict=True)
    ]
    head = [
        "share hidden in training",
        *(name.replace("_", " ") for name in curve),
        *(f"rows of {name.replace('_', ' ')}" for name in rows),
    ]
    return [
        "MASE over all subsets of test rows:",
        table(head, lines),
        "![MASE by share hidden in training](hidden-in-training.svg)",
    ]


def _test_curve(results: pd.DataFrame, folder: Path) -> list[str]:
    own = results[results["condition"].str.startswith(HIDDEN_IN_TEST)]
    curve = losses(own, "condition").groupby("condition").mean()
    curve.index = [float(name.split()[-1]) for name in curve.index]
    curve = curve.sort_index()
    draw_lines(folder / "hidden-in-test.svg", curve, "share of facets hidden in test")
    lines = [
        [f"{share:g}", *map(number, row)] for share, row in zip(curve.index, curve.to_numpy(), strict=True)
    ]
    area = np.trapezoid(curve.to_numpy(), curve.index, axis=0) / (curve.index[-1] - curve.index[0])
    return [
        texts.HIDDEN_IN_TEST,
        table(
            ["share hidden in test", *(f"`{name}`" for name in curve)],
            [*lines, ["mean over the curve", *map(number, area)]],
        ),
        "![MASE by share hidden in test](hidden-in-test.svg)",
    ]


def _disturbances(results: pd.DataFrame) -> list[str]:
    own = results[~results["condition"].str.contains("hidden")]
    found = (
        losses(own[own["quantity"] == MASE], "facet", "condition")
        .groupby(["facet", "condition"], sort=False)
        .mean()
    )
    found = found[[name for name in DISTURBED if name in found]]
    lines = [
        [facet or "none", condition or "as it is", *map(number, row)]
        for (facet, condition), row in zip(found.index, found.to_numpy(), strict=True)
    ]
    return [
        texts.DISTURBED,
        table(["facet", "disturbance", *(f"`{name}`" for name in found)], lines, n_left=2),
        *_noticed(results),
    ]


def _noticed(results: pd.DataFrame) -> list[str]:
    """Compare the share of a disturbed facet with that of the same facet as it is."""
    own = results[results["quantity"] == "share"]
    means = own.groupby(["model", "condition", "facet"], sort=False)["value"].mean()
    models = list(dict.fromkeys(own["model"]))
    lines = []
    for facet in dict.fromkeys(own["facet"]):
        for condition in (f"{NOISE} 1", SWAPPED):
            changed = [means[name, f"{condition} {facet}", facet] - means[name, "", facet] for name in models]
            lines.append([facet, condition, *(number(value, "+.3f") for value in changed)])
    return [
        texts.NOTICED,
        table(["facet", "disturbance", *(f"`{name}`" for name in models)], lines, n_left=2),
    ]
