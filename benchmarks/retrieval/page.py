"""The page of results."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from polyfacet.evaluation.retrieval.searching import COMPOSITION
from polyfacet.runtime.files import write_text
from polyfacet.runtime.markdown import table

PRETRAINED = ("all_pairs", "fused_anchor")
METHODS = (*PRETRAINED, "untrained", "ridge", "cca", COMPOSITION)
METRICS = ("recall@1", "recall@5", "recall@10", "mrr", "median_rank")
# Of picture -> graph, exact partner.
PICTURE_BARS = {"recall@1": 0.15, "recall@10": 0.5}
# Of text -> graph by formula: the value, and the distance to the decoder of compositions.
TEXT_BAR, TEXT_METRIC, DISTANCE = 0.6, "recall@10", 0.05
INTRODUCTION = """\
# How well facets find each other

`python -m benchmarks.retrieval --repeats 3`

10,000 one-dimensional crystals of Alexandria, split by formula (`config/studies/retrieval.yaml`). One network
per way of contrast is [pretrained](../../contrast.md) on the training part: a convolutional network on
pictures of 64 x 64 pixels, elements as a set, and vectors of the graph and of the composition image. No
objective was learned: the vector of the graph is that of an untrained network (`calibrated`). Each test
material is asked for by one facet and searched among all test materials by another
([retrieval](../../contrast.md#retrieval)).

`untrained` is the same network before pretraining. `ridge`, `cca` and `decoded composition` are fitted on
training materials; of pictures, they read 8 x 8 mean colours. *Chance* is a random order, *possible* the best
value for a facet that tells the formula alone. Values are means over the finished repeats, and description:
nothing is tested."""


def write_page(found: pd.DataFrame, folder: Path, n_repeats: int) -> Path:
    """Write the page from the kept tables.

    Parameters
    ----------
    found
        Rows of ``RETRIEVAL``.
    folder
        Folder of the page.
    n_repeats
        Number of repeats when all is finished.
    """
    done = found["repeat"].nunique()
    parts = [INTRODUCTION, f"Finished: {done} of {n_repeats} repeats."]
    if done:
        parts += _sections(found, done, n_repeats)
    path = folder / "README.md"
    folder.mkdir(parents=True, exist_ok=True)
    write_text(path, "\n\n".join(parts) + "\n")
    return path


def _sections(found: pd.DataFrame, done: int, n_repeats: int) -> Iterator[str]:
    keys = ["query", "item", "gallery", "relevance", "method", "metric"]
    means = found.groupby(keys)[["value", "chance", "possible", "n_queries", "n_items"]].mean()
    until = "" if done == n_repeats else f" so far, in {done} of {n_repeats} repeats"
    pictures = means.xs(("image", "graph", "all", "material"))
    yield "## A picture finds the graph of its material"
    yield _picture_bars(pictures, until)
    yield _metrics(pictures)
    alike = means.xs(("image", "graph", "formula", "material"))
    yield (
        f"Among the materials of the same formula ({alike['n_items'].mean():.1f} on average), where the "
        "composition tells nothing:"
    )
    yield _metrics(alike)
    texts = means.xs(("text", "graph", "all", "formula"))
    yield "## A text finds a graph of its formula"
    yield _text_bar(texts, until)
    yield _metrics(texts)
    yield "## All pairs of facets"
    yield "Recall@10 among all test materials; the answer is the material itself."
    yield _pairs(means.xs(("all", "material", "recall@10"), level=("gallery", "relevance", "metric")))


def _picture_bars(means: pd.DataFrame, until: str) -> str:
    said = []
    for metric, bar in PICTURE_BARS.items():
        own = means["value"].unstack("metric")[metric]
        best = own[list(PRETRAINED)].idxmax()
        rivals = own.drop(list(PRETRAINED))
        said.append(
            f"{metric} at least {bar:.0%}: {_said(own[best] >= bar, until)}, {own[best]:.1%} (`{best}`); the "
            f"best other method, `{rivals.idxmax()}`, has {rivals.max():.1%}, chance "
            f"{_chance(means, metric):.2%}."
        )
    return "Bars. " + " ".join(said)


def _text_bar(means: pd.DataFrame, until: str) -> str:
    own = means["value"].unstack("metric")[TEXT_METRIC]
    best, decoder = own[list(PRETRAINED)].idxmax(), own[COMPOSITION]
    met = own[best] >= TEXT_BAR and own[best] >= decoder - DISTANCE
    return (
        f"Bar. {TEXT_METRIC} at least {TEXT_BAR:.0%}, and at most {100 * DISTANCE:.0f} points below "
        f"`{COMPOSITION}`, which reads the same numbers: {_said(met, until)}, {own[best]:.1%} (`{best}`) and "
        f"{decoder:.1%}; chance {_chance(means, TEXT_METRIC):.1%}."
    )


def _said(met: bool, until: str) -> str:
    word = "met" if met else "missed"
    return f"{word}{until}" if until else f"**{word}**"


def _chance(means: pd.DataFrame, metric: str) -> float:
    return float(means.xs(metric, level="metric")["chance"].mean())


def _metrics(means: pd.DataFrame) -> str:
    values = means["value"].unstack("metric")
    rows = [
        [f"`{method}`", *(f"{values.loc[method, metric]:.3g}" for metric in METRICS)]
        for method in METHODS
        if method in values.index
    ]
    beside = means.groupby("metric")[["chance", "possible"]].mean()
    rows += [
        [f"*{name}*", *(f"{beside.loc[metric, name]:.3g}" for metric in METRICS)] for name in beside.columns
    ]
    return table(["method", *METRICS], rows)


def _pairs(means: pd.DataFrame) -> str:
    values = means["value"].unstack("method")
    beside = means.groupby(["query", "item"])[["chance", "possible"]].mean()
    methods = [method for method in METHODS if method in values]
    rows = [
        [f"{query} → {item}", *(f"{values.loc[(query, item), method]:.3g}" for method in methods)]
        + [f"{beside.loc[(query, item), name]:.3g}" for name in beside.columns]
        for query, item in values.index
    ]
    return table(["asked → searched", *(f"`{name}`" for name in methods), *beside.columns], rows)
