"""The table of retrieval: every direction, gallery and method, beside chance and what is possible."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import numpy as np
import pandas as pd

from polyfacet.evaluation.bootstrap import LEVEL, Resamples, draw_formulas
from polyfacet.evaluation.retrieval.galleries import Search, searches
from polyfacet.evaluation.retrieval.places import Array, Places
from polyfacet.evaluation.retrieval.schema import MEDIAN_RANK, RECALLS, RECIPROCAL_RANK
from polyfacet.facets.declaration import OF_FORMULAS, Facet
from polyfacet.facets.registry import facet_named


@dataclass(frozen=True, eq=False)
class Searched:
    """Test materials, and how each method scores them.

    Attributes
    ----------
    mat_ids, formulas, elements
        Of each material; elements as one text.
    scores
        Method to the score of each material (columns) for each query (rows), by the facets of both; a
        method may lack some pairs of facets.
    present
        Facet to whether each material has it.
    """

    mat_ids: Sequence[str]
    formulas: Sequence[str]
    elements: Sequence[str]
    scores: Mapping[str, Mapping[tuple[str, str], Array]]
    present: Mapping[str, np.ndarray]


def retrieval_of(searched: Searched, seed: int) -> pd.DataFrame:
    """Return the rows of ``RETRIEVAL`` of a split, without those that identify it.

    Parameters
    ----------
    searched
        The test materials.
    seed
        Seed of the gallery of fixed size, and of the bootstrap.
    """
    rows: list[dict[str, Any]] = []
    for query, item in permutations(searched.present, 2):
        has_both = np.flatnonzero(searched.present[query] & searched.present[item]).tolist()
        formulas, elements, mat_ids = (
            [each[row] for row in has_both]
            for each in (searched.formulas, searched.elements, searched.mat_ids)
        )
        for (gallery, relevance), search in searches(formulas, elements, mat_ids, seed).items():
            direction = {"query": query, "item": item, "gallery": gallery, "relevance": relevance}
            codes = np.unique([formulas[row] for row in search.queries], return_inverse=True)[1]
            resamples = Resamples(draw_formulas(int(codes.max()) + 1, seed), codes)
            limits = _limits(search, facet_named(query), facet_named(item))
            for method, scores in searched.scores.items():
                if (query, item) in scores:
                    own = scores[query, item][np.ix_(has_both, has_both)]
                    places = search.places(own)
                    for metric, values in _metrics(places, resamples):
                        rows.append(
                            {"method": method, **direction, "metric": metric, **values, **limits[metric]}
                        )
    return pd.DataFrame(rows)


def _limits(search: Search, query: Facet, item: Facet) -> dict[str, dict[str, float]]:
    """Return chance, what is possible, and the size of the search for each metric."""
    tells_formula_only = any(
        (facet.shown_as(facet.form) or OF_FORMULAS) <= OF_FORMULAS for facet in (query, item)
    )
    best = search.at_best(tells_formula_only=tells_formula_only)
    sizes = {"n_queries": len(search.queries), "n_items": float(search.gallery.sum(axis=1).mean())}
    chance = dict(_values(search.by_chance()))
    return {name: {"chance": chance[name], "possible": value, **sizes} for name, value in _values(best)}


def _values(places: Places) -> Iterator[tuple[str, float]]:
    for k in RECALLS:
        yield f"recall@{k}", float(places.recall(k).mean())
    yield RECIPROCAL_RANK, float(places.reciprocal_rank().mean())
    yield MEDIAN_RANK, float(np.median(places.rank()))


def _metrics(places: Places, resamples: Resamples) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield each metric with its interval; the median rank has none."""
    means = [(f"recall@{k}", places.recall(k)) for k in RECALLS]
    means.append((RECIPROCAL_RANK, places.reciprocal_rank()))
    tail = (1 - LEVEL) / 2
    for name, values in means:
        drawn = resamples.mean(values)
        low, high = np.nanquantile(drawn, [tail, 1 - tail]) if resamples.n_formulas > 1 else (np.nan, np.nan)
        yield name, {"value": float(values.mean()), "low": float(low), "high": float(high)}
    yield MEDIAN_RANK, {"value": float(np.median(places.rank())), "low": np.nan, "high": np.nan}
