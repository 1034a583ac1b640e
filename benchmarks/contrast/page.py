"""The page of results."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from benchmarks.contrast.grounds import GROUNDS
from benchmarks.contrast.labels import ALL_LABELS, ALONE, PRETRAINED, WITHOUT, compared_models
from benchmarks.contrast.sections_of_representations import (
    section_of_probes,
    section_of_space,
    section_of_towers,
)
from benchmarks.contrast.tables import LABELS, PROBES, SPACE, TOWERS, kept_as
from benchmarks.joint.comparing import losses, test_over_train, verdicts
from benchmarks.joint.results import Results

from polyfacet.runtime.files import write_text
from polyfacet.runtime.markdown import table

# The bars: what a way of contrast must have, at most, of the rival's error.
BAR_OF_LABELS, BAR_OF_COMPOSITIONS = 0.93, 0.95
COMPOSITION, ALL = "text+compimage", "text+graph+compimage"
INTRODUCTION = """\
# What contrastive pretraining is worth

`python -m benchmarks.contrast --repeats 3`

Some training rows keep their labels; the others are learned from by
[contrastive pretraining](../../contrast.md) alone. Materials are split by formula. The vector of the graph
comes from a network that has seen no objective. `labels only` is the same network without pretraining, from
the labelled rows, and `labels only, these facets alone` one that has never seen the other facets. With
`shuffled partners`, facets of different materials are paired: a gain that remains is no alignment, as
scalings of numbers are fitted on all training rows there, too. `ridge` and `extra_trees` are fitted on the
labelled rows, `text` as atomic fractions and `compimage` as its 392 statistics of element properties. Not all
ways of contrast are tried with each number of labels.

MASE is the mean absolute error over the mean absolute deviation of the test values, averaged over the
objectives and the finished repeats. Verdicts follow from the corrected resampled t-test over repeats against
`labels only`, with Holm's correction for the models and a margin of 2 % of its error
([comparisons](../../evaluation.md)); with one repeat there is no test."""

SECTIONS = {
    TOWERS: section_of_towers,
    SPACE: lambda _, kept: section_of_space(kept),
    PROBES: lambda _, kept: section_of_probes(kept),
}


def write_page(results: Results, folder: Path, n_repeats: int) -> Path:
    """Write the page from the kept results.

    Parameters
    ----------
    results
        Results by the name of the ground.
    folder
        Folder of the page.
    n_repeats
        Number of repeats when all is finished.
    """
    parts = [INTRODUCTION]
    for name, ground in GROUNDS.items():
        own = results[kept_as(name, LABELS)]
        done = own["repeat"].nunique()
        parts += [f"## {ground.title}", f"{ground.description} Finished: {done} of {n_repeats} repeats."]
        if done:
            means = losses(own, "condition", "subset")
            parts += list(_bars(name, means, "" if done == n_repeats else f"{done} of {n_repeats}"))
            for subset, shown in ground.shown.items():
                known = means.xs(subset, level="subset")
                parts += [f"Predicted from {shown} ({subset}):", *_tables(known, test_over_train(own))]
        for experiment, section in SECTIONS.items():
            kept = results[kept_as(name, experiment)]
            if len(kept):
                parts += section(ground, kept)
    path = folder / "README.md"
    write_text(path, "\n\n".join(parts) + "\n")
    return path


def _bars(name: str, means: pd.DataFrame, until: str) -> Iterator[str]:
    """Say whether pretraining reaches the bar of a ground, by which model."""
    if name == "labels":
        own = means.xs(("250 labels", ALL), level=("condition", "subset")).mean()
        what = "250 labels and pretraining on all training rows, all facets"
        yield _bar(what, own, [WITHOUT], BAR_OF_LABELS, until)
    elif name == "mp20":
        own = means.xs((ALL_LABELS, COMPOSITION), level=("condition", "subset")).mean()
        what = "All labels and pretraining on structures, the composition alone"
        yield _bar(what, own, [WITHOUT, ALONE, "extra_trees"], BAR_OF_COMPOSITIONS, until)


def _bar(what: str, own: pd.Series, rivals: Sequence[str], bar: float, until: str) -> str:
    pretrained = own[[name for name in PRETRAINED if name in own and "shuffled" not in name]].dropna()
    best = str(pretrained.idxmin())
    ratios = [float(own[best] / own[rival]) for rival in rivals]
    said = "met" if max(ratios) <= bar else "missed"
    shown = f"{said} so far, in {until} repeats" if until else f"**{said}**"
    against = ", ".join(f"{ratio:.3f} of `{rival}`" for rival, ratio in zip(rivals, ratios, strict=True))
    return (
        f"Bar. {what}, at most {bar} of {', '.join(f'`{rival}`' for rival in rivals)}: {shown}. The lowest "
        f"of {len(pretrained)} ways of contrast, `{best}`, has {against}; as these test rows chose it, it "
        "looks better than it is."
    )


def _numbers(means: pd.DataFrame) -> list[str]:
    """Return the numbers of labels, the lowest first, all of them at last."""
    few = set(means.index.get_level_values("condition")) - {ALL_LABELS}
    return [*sorted(few, key=lambda name: int(name.split()[0])), ALL_LABELS]


def _tables(means: pd.DataFrame, ratio: float) -> Iterator[str]:
    """Yield a table over numbers of labels."""
    conditions = _numbers(means)
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
