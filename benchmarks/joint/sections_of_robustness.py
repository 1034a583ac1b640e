"""Section of the page: missing, noisy and wrong facets."""

from pathlib import Path

import numpy as np
import pandas as pd
from benchmarks.joint import texts
from benchmarks.joint.comparing import losses, values
from benchmarks.joint.figures import draw_lines
from benchmarks.joint.fusions import DEFAULT
from benchmarks.joint.results import MASE
from benchmarks.joint.robustness import DISTURBED, HIDDEN_IN_TEST, HIDDEN_IN_TRAINING, NOISE, SWAPPED
from benchmarks.joint.sections import Tables, number

from polyfacet.runtime.markdown import table


def robustness_section(tables: Tables, folder: Path, n_repeats: int) -> list[str]:
    """Show curves of missing facets, and what noise and wrong facets do."""
    results = tables["robustness"]
    parts = ["## Missing, noisy and wrong facets"]
    parts += _training_curve(results, tables["fusions"], folder)
    parts += _test_curve(results, folder)
    return parts + _disturbances(results)


def _training_curve(results: pd.DataFrame, complete: pd.DataFrame, folder: Path) -> list[str]:
    """Show errors by share hidden in training; those of complete rows are of `compare_fusions`."""
    own = results[results["condition"].str.startswith(HIDDEN_IN_TRAINING)]
    complete = complete[complete["model"] == DEFAULT]
    # Repeats differ by more than conditions do, so that all points are means over the same ones.
    shared = set(own["repeat"]) & set(complete["repeat"])
    if shared:
        own, complete = (each[each["repeat"].isin(shared)] for each in (own, complete))
    curve = _by_share(losses(own, "condition", "subset").groupby("condition").mean())
    if shared:
        whole = losses(complete, "subset")[DEFAULT].mean()
        curve = pd.concat([pd.DataFrame([dict.fromkeys(curve, whole)], index=[0.0]), curve])
    draw_lines(folder / "hidden-in-training.svg", curve, "share of facets hidden in training")
    rows = _by_share(values(own, "n_train", "condition"))
    lines = [
        [
            f"{share:g}",
            *map(number, row),
            *(number(rows[name].get(share, np.nan), ".0f") for name in rows),
        ]
        for share, row in zip(curve.index, curve.to_numpy(), strict=True)
    ]
    models = [str(name).replace("_", " ") for name in curve]
    of_models = [f"rows of {str(name).replace('_', ' ')}" for name in rows]
    return [
        f"MASE over all subsets of test rows ({_said_of_repeats(own, shared)}):",
        table(["share hidden in training", *models, *of_models], lines),
        "![MASE by share hidden in training](hidden-in-training.svg)",
    ]


def _said_of_repeats(own: pd.DataFrame, shared: set[int]) -> str:
    """Say which repeats a curve is the mean of."""
    n = own["repeat"].nunique()
    plural = "s" * (n > 1)
    if not shared:
        return f"{n} repeat{plural}, none of which has finished `fusions`, so that complete rows are left out"
    return f"{n} repeat{plural} finished by both `fusions` and `robustness`"


def _by_share(found: pd.DataFrame) -> pd.DataFrame:
    """Index what was found by the share that ends the name of a condition."""
    return found.set_axis([float(name.split()[-1]) for name in found.index]).sort_index()


def _test_curve(results: pd.DataFrame, folder: Path) -> list[str]:
    own = results[results["condition"].str.startswith(HIDDEN_IN_TEST)]
    curve = _by_share(losses(own, "condition").groupby("condition").mean())
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
