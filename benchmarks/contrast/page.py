"""The page of results."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from benchmarks.contrast.labels import WITHOUT, compared_models
from benchmarks.joint.comparing import losses, test_over_train, verdicts

from polyfacet.runtime.files import write_text
from polyfacet.runtime.markdown import table

# The bar: labels of 250 rows, the rest without, over the same network from these labels alone.
BAR_LABELS, BAR = 250, 0.93
ALL = "text+graph+compimage"
SHOWN = {"text": "The composition alone", ALL: "All facets"}
INTRODUCTION = """\
# What contrastive pretraining is worth

`python -m benchmarks.contrast --repeats 3`

3,000 one-dimensional crystals of Alexandria, split by formula (`config/studies/contrast.yaml`): facets
`text`, `graph` and `compimage`, all seven objectives at once. The vector of the graph comes from a network
that has seen no objective. Some training rows keep their labels; the others are learned from by
[contrastive pretraining](../../contrast.md) alone. `labels only` is the same network without it, from the
labelled rows. With `shuffled partners`, facets of different materials are paired: a gain that remains is no
alignment, as scalings of numbers are fitted on all training rows there, too. `ridge` and `extra_trees` are
fitted on the labelled rows. Most ways of contrast are tried with 250 labels only.

MASE is the mean absolute error over the mean absolute deviation of the test values, averaged over the seven
objectives and the finished repeats. Verdicts follow from the corrected resampled t-test over repeats against
`labels only`, with Holm's correction for the models and a margin of 2 % of its error
([comparisons](../../evaluation.md))."""


def write_page(results: pd.DataFrame, folder: Path, n_repeats: int) -> Path:
    """Write the page from the kept results.

    Parameters
    ----------
    results
        Rows of ``RESULTS``.
    folder
        Folder of the page.
    n_repeats
        Number of repeats when all is finished.
    """
    done = results["repeat"].nunique()
    parts = [INTRODUCTION, f"Finished: {done} of {n_repeats} repeats."]
    if done:
        means = losses(results, "condition", "subset")
        parts += [_bar(means, done, n_repeats)]
        for subset, title in SHOWN.items():
            own = means.xs(subset, level="subset")
            parts += [f"## {title}", *_tables(own, test_over_train(results))]
    path = folder / "README.md"
    write_text(path, "\n\n".join(parts) + "\n")
    return path


def _bar(means: pd.DataFrame, done: int, n_repeats: int) -> str:
    """Say whether pretraining reaches the bar, by which model."""
    own = means.xs((f"{BAR_LABELS} labels", ALL), level=("condition", "subset")).mean()
    ratios = (own / own[WITHOUT]).drop([WITHOUT, "ridge", "extra_trees"]).sort_values()
    best, ratio = ratios.index[0], ratios.iloc[0]
    said = "met" if ratio <= BAR else "missed"
    shown = f"**{said}**" if done == n_repeats else f"{said} so far, in {done} of {n_repeats} repeats"
    return (
        f"Bar: {BAR_LABELS} labels and pretraining on all training rows, all facets, at most {BAR} of the "
        f"network from these labels alone: {shown}. The lowest of {len(ratios)} models, `{best}`, has "
        f"{ratio:.3f}; as these test rows chose it, it looks better than it is."
    )


def _tables(means: pd.DataFrame, ratio: float) -> Iterator[str]:
    """Yield a table over numbers of labels."""
    conditions = sorted(
        means.index.get_level_values("condition").unique(), key=lambda name: int(name.split()[0])
    )
    models = [name for name in compared_models() if name in means]
    lines = []
    tested = {name: dict(_verdicts(means.xs(name, level="condition"), ratio)) for name in conditions}
    for model in models:
        found = [means.xs(name, level="condition")[model].mean() for name in conditions]
        lines.append([f"`{model}`", *("" if np.isnan(value) else f"{value:.3f}" for value in found)])
    yield table(["model", *conditions], lines)
    if any(tested.values()):
        rows = [
            [f"`{model}`", *(tested[name].get(model, "") for name in conditions)]
            for model in models
            if model != WITHOUT
        ]
        yield table([f"against `{WITHOUT}`", *conditions], rows)


def _verdicts(own: pd.DataFrame, ratio: float) -> Iterable[tuple[str, str]]:
    if len(own) < 2:
        return ()
    known = own.dropna(axis="columns")
    rival = known[WITHOUT].to_numpy()
    pairs = {name: (np.asarray(known[name]), rival) for name in known if name != WITHOUT}
    return verdicts(pairs, ratio).items()
