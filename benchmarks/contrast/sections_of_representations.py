"""Sections of the page on what representations are worth, and how they lie in their space."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from benchmarks.contrast.grounds import Ground
from benchmarks.contrast.labels import WITHOUT
from benchmarks.contrast.probes import NUMBERS, SYSTEM
from benchmarks.contrast.towers import compared_towers
from benchmarks.joint.comparing import losses, test_over_train, verdicts

from polyfacet.evaluation.representations.tables import ALIGNMENT, GAP, RANDOM_PAIRS, RANK, UNIFORMITY
from polyfacet.runtime.markdown import table

TOWERS_TEXT = """\
What representations are worth as they are: ridge regression (penalty by leaving one out) on what the fusion
makes of the facets, fitted on the labelled rows ({labels}). `inputs` are the numbers of the facets
themselves, `untrained` is the network with its first weights, `{without}` has learned the objectives of the
same rows, and the others are as pretraining has left them. Verdicts are against `{without}`."""

SPACE_TEXT = """\
How these representations, scaled to length 1, lie in their space, on test rows seen through single facets
([measures](../../contrast.md#retrieval)); means over pairs of facets, over facets, and over repeats. The loss
of pretraining compares a linear projection of them."""

PROBES_TEXT = """\
What the composition alone tells of the structure: ridge and logistic regressions on representations of the
composition, fitted on training rows; R2 on test rows, and the balanced accuracy of the crystal system.
`atomic fractions` and `statistics` (of element properties) are the inputs themselves; `labels only` has
learned all objectives, `untrained` nothing. The ceiling is the best answer that is the same for all test
materials of a formula, which no model knows."""

MEASURES = (ALIGNMENT, RANDOM_PAIRS, GAP, UNIFORMITY, RANK)


def section_of_towers(ground: Ground, results: pd.DataFrame) -> Iterator[str]:
    """Yield the text and a table: a row per representation, a column per subset of the facets."""
    means, ratio = losses(results, "subset"), test_over_train(results)
    labels = results.loc[results["condition"] != "", "condition"].iloc[0]
    yield TOWERS_TEXT.format(without=WITHOUT, labels=labels)
    columns = {subset: means.xs(subset, level="subset") for subset in ground.shown}
    tested = {subset: _verdicts(own, ratio) for subset, own in columns.items()}
    lines = []
    for model in (name for name in compared_towers() if name in means):
        cells = []
        for subset, own in columns.items():
            said = tested[subset].get(model, "")
            cells.append(f"{own[model].mean():.3f}" + (f", {said}" if said else ""))
        lines.append([f"`{model}`", *cells])
    headings = [f"{shown} (`{subset}`)" for subset, shown in ground.shown.items()]
    yield table(["ridge regression on", *headings], lines)


def section_of_space(results: pd.DataFrame) -> Iterator[str]:
    """Yield the text and a table: a row per network, a column per measure."""
    yield SPACE_TEXT
    own = results[results["quantity"].isin(MEASURES)]
    means = own.groupby(["model", "quantity"])["value"].mean().unstack("quantity")
    lines = [
        [f"`{model}`", *(f"{means.loc[model, measure]:.3f}" for measure in MEASURES)]
        for model in compared_towers()
        if model in means.index
    ]
    yield table(["network", *MEASURES], lines)


def section_of_probes(results: pd.DataFrame) -> Iterator[str]:
    """Yield the text and a table: a row per representation, a column per question."""
    yield PROBES_TEXT
    targets = [*NUMBERS, SYSTEM]
    own = results[results["objective"].isin(targets)]
    means = own.groupby(["model", "objective"], sort=False)["value"].mean().unstack("objective")
    rows = [
        [f"`{model}`", *(f"{means.loc[model, target]:.3f}" for target in targets)] for model in means.index
    ]
    yield table(["linear model on", *targets], rows)


def _verdicts(own: pd.DataFrame, ratio: float) -> dict[str, str]:
    """Test each representation against that of the network without pretraining; one repeat is no test."""
    known = own.dropna(axis="columns")
    if len(own) < 2 or WITHOUT not in known:
        return {}
    rival = known[WITHOUT].to_numpy()
    return verdicts({name: (np.asarray(known[name]), rival) for name in known if name != WITHOUT}, ratio)
