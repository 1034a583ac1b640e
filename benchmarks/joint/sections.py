"""Sections of the page: dedicated networks, and hidden facets."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from benchmarks.joint import texts
from benchmarks.joint.comparing import losses, test_over_train, values, verdicts
from benchmarks.joint.dedicated import CLASSICAL, DEDICATED, FLOOR, UNIVERSAL
from benchmarks.joint.missing import COMPLETE_ROWS, IMPUTED, IMPUTED_UNIVERSAL
from benchmarks.joint.results import MASE

from polyfacet.reporting.numbers import number_text
from polyfacet.runtime.markdown import table

Tables = dict[str, pd.DataFrame]
BAR_RATIO, BAR_WORST, BAR_TIME, BAR_HIDDEN = 1.03, 1.10, 0.2, 0.95


def number(value: float, form: str = ".3f") -> str:
    """Write a number of a table; nothing where there is none."""
    return "" if pd.isna(value) else number_text(value, form)


def facets(subset: str) -> str:
    """Write the name of a subset."""
    return subset.replace("+", " + ")


def in_repeats(results: pd.DataFrame, n_repeats: int) -> str:
    """Say of how many repeats a result is, and whether these are all."""
    n = results["repeat"].nunique()
    if n >= n_repeats:
        return f"on average over all {n} repeats"
    return f"so far, {'on average over' if n > 1 else 'in'} {n} of {n_repeats} repeats"


def said(bar: str, met: bool, results: pd.DataFrame, n_repeats: int) -> str:
    """Say whether a bar is met; only all repeats decide."""
    verdict = "met" if met else "missed"
    if results["repeat"].nunique() >= n_repeats:
        verdict = f"**{verdict}**"
    return f"{bar}: {verdict} {in_repeats(results, n_repeats)}"


def mean_table(means: pd.DataFrame, first: str, extra: dict[str, Sequence[str]]) -> str:
    """Return a table of losses, a row per subset, with further columns of texts."""
    lines = [
        [facets(str(name)), *map(number, row), *(column[place] for column in extra.values())]
        for place, (name, row) in enumerate(zip(means.index, means.to_numpy(), strict=True))
    ]
    return table([first, *(str(name).replace("_", " ") for name in means.columns), *extra], lines)


def ratios(results: pd.DataFrame, model: str, rival: str) -> pd.DataFrame:
    """Return the ratio of mean losses of two models, subsets by objectives; NaN where one has none."""
    own = results[(results["quantity"] == MASE) & (results["condition"] == "")]
    means = own.groupby(["model", "subset", "objective"], sort=False)["value"].agg(
        lambda each: each.mean(skipna=False)
    )
    return (means[model] / means[rival]).unstack("objective", sort=False)


def paired_verdicts(of_repeats: pd.DataFrame, model: str, rival: str, ratio: float) -> dict[str, str]:
    """Return the verdict on a model for each subset."""
    pairs = {}
    for subset, own in of_repeats.groupby("subset", sort=False):
        both = own[[model, rival]].dropna()
        if len(both) > 1:
            pairs[str(subset)] = both[model].to_numpy(), both[rival].to_numpy()
    return verdicts(pairs, ratio)


def dedicated_section(tables: Tables, folder: Path, n_repeats: int) -> list[str]:
    """Compare one network with one for each subset."""
    results = tables["dedicated"]
    whole = losses(results, "subset")
    floor = whole.pop(FLOOR).mean()
    of_repeats = whole.drop(index="", level="subset")
    means = of_repeats.groupby("subset", sort=False).mean()
    of_objectives = ratios(results, UNIVERSAL, DEDICATED)
    seconds = (
        results[results["quantity"] == "core_seconds"].groupby(["repeat", "model"])["value"].sum().unstack()
    )
    tested = paired_verdicts(of_repeats, UNIVERSAL, DEDICATED, test_over_train(results))
    means = means[[UNIVERSAL, DEDICATED, *(name for name in means if name not in (UNIVERSAL, DEDICATED))]]
    extra = {
        "universal / dedicated": [number(value) for value in means[UNIVERSAL] / means[DEDICATED]],
        "universal vs dedicated": [tested.get(name, "no test") for name in means.index],
    }
    named = [
        [facets(str(name)), *map(number, row)]
        for name, row in zip(of_objectives.index, of_objectives.to_numpy(), strict=True)
    ]
    return [
        "## One network, or one for each subset",
        texts.DEDICATED,
        _ratio_said(of_objectives, results, n_repeats),
        _cost_said(seconds, len(means), results, n_repeats),
        _simple_said(means, in_repeats(results, n_repeats)),
        f"Answers that are the same for all materials of a formula have a MASE of at least {floor:.3f} on "
        "these test rows. A composition (`text`, `compimage`) with less would be a leak.",
        mean_table(means, "facets shown", extra),
        "Ratios by objective:",
        table(["universal / dedicated", *of_objectives.columns], named),
    ]


def _ratio_said(of_objectives: pd.DataFrame, results: pd.DataFrame, n_repeats: int) -> str:
    cells = of_objectives.to_numpy().ravel()
    median, n_exceed = float(np.median(cells)), int((cells > BAR_WORST).sum())
    low, high = np.quantile(cells, [0.25, 0.75])
    subset, objective = of_objectives.stack().idxmax()
    median_said, worst_said = (
        said(bar, met, results, n_repeats)
        for bar, met in (
            (f"Bar (median at most {BAR_RATIO:.2f})", median <= BAR_RATIO),
            (f"Bar (worst at most {BAR_WORST:.2f})", n_exceed == 0),
        )
    )
    exceeding = f"; {n_exceed} of {len(cells)} cells exceed it" if n_exceed else ""
    return (
        f"Ratio of the MASE, universal / dedicated, over subsets and objectives: median {median:.3f}, "
        f"quartiles {low:.3f} and {high:.3f}, worst {cells.max():.3f} ({facets(subset)}, `{objective}`); "
        f"at most 1 in {(cells <= 1).sum()} of {len(cells)} cells. {median_said}. {worst_said}{exceeding}."
    )


def _cost_said(seconds: pd.DataFrame, n_subsets: int, results: pd.DataFrame, n_repeats: int) -> str:
    cost = float((seconds[UNIVERSAL] / seconds[DEDICATED]).mean())
    universal, all_dedicated = seconds[UNIVERSAL].mean(), seconds[DEDICATED].mean()
    return (
        f"Processor time of the one training over that of all {n_subsets}: {cost:.2f} ({universal:.0f} s and "
        f"{all_dedicated:.0f} s). {said('Bar (at most a fifth)', cost <= BAR_TIME, results, n_repeats)}."
    )


def _simple_said(means: pd.DataFrame, repeats: str) -> str:
    """Say where simple models are better than the network."""
    simple = means[list(CLASSICAL)]
    better = simple.lt(means[UNIVERSAL], axis=0)
    counts = ", ".join(f"`{name}` in {better[name].sum()}" for name in simple)
    errors = ", ".join(f"`{name}` {means[name].mean():.3f}" for name in (UNIVERSAL, *simple))
    return (
        f"A simple model has a lower error than `{UNIVERSAL}` in {better.any(axis=1).sum()} of {len(means)} "
        f"subsets ({repeats}): {counts}. Mean over the subsets: {errors}."
    )


def missing_section(tables: Tables, folder: Path, n_repeats: int) -> list[str]:
    """Compare what can be done with half of the facets."""
    results, complete = tables["missing"], tables["dedicated"]
    of_repeats = losses(results, "subset")
    if len(complete):
        known = losses(complete, "subset").drop(index="", level="subset")[[UNIVERSAL, DEDICATED]]
        of_repeats = of_repeats.join(known.rename(columns=lambda name: f"{name}, complete data"))
    means = of_repeats.groupby("subset", sort=False).agg(lambda each: each.mean(skipna=False))
    ratio = means[UNIVERSAL] / means[DEDICATED]
    n_rows = values(results, "n_train", "subset")
    ratio_rows = test_over_train(results)
    tested = paired_verdicts(of_repeats, UNIVERSAL, DEDICATED, ratio_rows)
    extra = {
        "rows of dedicated": [number(n_rows[DEDICATED].get(name, np.nan), ".0f") for name in means.index],
        "universal / dedicated": [number(value) for value in ratio],
        "universal vs dedicated": [tested.get(name, "no test") for name in means.index],
    }
    median = float(ratio.median())
    lines = [
        "## Half of the facets hidden in training",
        texts.HIDDEN,
        f"Ratio of the MASE (mean over objectives), universal / dedicated: median over {ratio.notna().sum()} "
        f"subsets {median:.3f}, worst {ratio.max():.3f}. "
        f"{said(f'Bar (at most {BAR_HIDDEN})', median <= BAR_HIDDEN, results, n_repeats)}.",
        _against_imputation(of_repeats, means, results, n_repeats),
    ]
    both = of_repeats.filter([UNIVERSAL, f"{UNIVERSAL}, complete data"]).dropna()
    if len(complete) and len(both):
        universal, of_complete = both.groupby("subset", sort=False).mean().to_numpy().T
        distance = universal / of_complete
        lines.append(
            f"Distance to complete data: the MASE of `universal` is {np.median(distance):.3f} times that of "
            f"the same network trained with all facets (median over subsets; {distance.min():.3f} to "
            f"{distance.max():.3f})."
        )
    if means[[name for name in (COMPLETE_ROWS, DEDICATED) if name in means]].isna().to_numpy().any():
        lines.append(
            "Cells without a number could not be trained in some repeat: too few rows had all facets."
        )
    return [*lines, mean_table(means, "facets shown", extra)]


def _against_imputation(
    of_repeats: pd.DataFrame, means: pd.DataFrame, results: pd.DataFrame, n_repeats: int
) -> str:
    ratio, better, parts = test_over_train(results), [], []
    for rival in (IMPUTED, IMPUTED_UNIVERSAL):
        if rival not in means:
            continue
        share = means[UNIVERSAL] / means[rival]
        overall = of_repeats.groupby("repeat")[[UNIVERSAL, rival]].mean()
        pair = overall[UNIVERSAL].to_numpy(), overall[rival].to_numpy()
        verdict = verdicts({rival: pair}, ratio)[rival] if len(overall) > 1 else "no test with one repeat"
        better.append(bool(overall[UNIVERSAL].mean() < overall[rival].mean()))
        parts.append(
            f"against `{rival.replace('_', ' ')}`, median ratio {share.median():.3f}, better in "
            f"{(share < 1).sum()} of {share.notna().sum()} subsets, mean over subsets: {verdict}"
        )
    bar = "Bar (a lower mean than both)"
    return f"Imputation: {'; '.join(parts)}. {said(bar, all(better), results, n_repeats)}."
