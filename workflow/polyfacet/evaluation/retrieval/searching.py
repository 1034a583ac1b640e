"""Scores of all methods for all pairs of facets: of representations, and of simple methods on numbers."""

from collections.abc import Mapping, Sequence
from itertools import permutations

import numpy as np
import pandas as pd

from polyfacet.encodings.fractions import fractions_of
from polyfacet.encodings.pixels import PixelStore
from polyfacet.evaluation.retrieval.baselines import BASELINES, fitted_decoder
from polyfacet.evaluation.retrieval.places import Array
from polyfacet.evaluation.retrieval.tables import Searched
from polyfacet.facets.declaration import Facet
from polyfacet.facets.registry import encoding_column, shown_columns
from polyfacet.materials.formula import parse_formula
from polyfacet.splits.parts import TEST, TRAIN
from polyfacet.training.engines.numeric_facets import original_features

COMPOSITION = "decoded composition"
# Width and height to which pictures without an encoding are averaged.
COLOURS = 8

Scores = dict[tuple[str, str], Array]


def searched_materials(
    rows: pd.DataFrame,
    formulas: pd.Series,
    facets: Sequence[Facet],
    represented: Mapping[str, Mapping[str, Array]],
) -> Searched:
    """Score the test materials of a split.

    Parameters
    ----------
    rows
        Aligned rows of all parts.
    formulas
        Formula of each row.
    facets
        Facets that are searched and asked with.
    represented
        Method to the representations of the test rows, by facet; NaN where a row lacks it.
    """
    train, test = (rows[rows["part"] == part] for part in (TRAIN, TEST))
    of_train, of_test = (formulas.loc[part.index] for part in (train, test))
    scores = {method: _of_representations(own) for method, own in represented.items()}
    scores |= _of_baselines(_numbers(train, of_train, facets), _numbers(test, of_test, facets), of_train)
    elements = [" ".join(sorted(parse_formula(formula))) for formula in of_test]
    return Searched(
        test["mat_id"].tolist(),
        of_test.tolist(),
        elements,
        scores,
        {facet.name: _has(test, facet) for facet in facets},
    )


def _of_representations(represented: Mapping[str, Array]) -> Scores:
    known = {facet: np.nan_to_num(values) for facet, values in represented.items()}
    return {(a, b): known[a] @ known[b].T for a, b in permutations(known, 2)}


def _of_baselines(
    train: Mapping[str, Array], test: Mapping[str, Array], formulas: pd.Series
) -> dict[str, Scores]:
    """Score by methods that are fitted on the training rows that have both facets."""
    fractions = fractions_of(formulas).astype(np.float64)
    found: dict[str, Scores] = {name: {} for name in (*BASELINES, COMPOSITION)}
    for pair in permutations(train, 2):
        has_both = np.isfinite(np.hstack([train[facet] for facet in pair])).all(axis=1)
        if has_both.sum() < 2:
            continue
        queries, items = (train[facet][has_both] for facet in pair)
        asked, searched = (np.nan_to_num(test[facet]) for facet in pair)
        for name, fit in BASELINES.items():
            found[name][pair] = fit(queries, items)(asked, searched)
        decoder = fitted_decoder(queries, items, fractions[has_both])
        found[COMPOSITION][pair] = decoder(asked, searched)
    return found


def _numbers(rows: pd.DataFrame, formulas: pd.Series, facets: Sequence[Facet]) -> dict[str, Array]:
    """Return the numbers of each facet, shape ``(rows, numbers)``; NaN for rows without it."""
    found = {}
    for facet in facets:
        has = _has(rows, facet)
        own = _numbers_of(rows[has], formulas[has], facet)
        numbers = np.full((len(rows), own.shape[1]), np.nan)
        numbers[has] = own
        found[facet.name] = numbers
    return found


def _numbers_of(rows: pd.DataFrame, formulas: pd.Series, facet: Facet) -> Array:
    """Return numbers of a facet that all rows have: its own, of its encoding, fractions, or colours."""
    if facet.is_numeric or encoding_column(facet) in rows:
        return np.asarray(original_features(rows, [facet]), dtype=np.float64)
    if facet.kind == "text":
        return fractions_of(formulas).astype(np.float64)
    pictures = np.stack(list(PixelStore().each(rows, shown_columns(facet, rows.columns))))
    size = pictures.shape[-1] // COLOURS
    blocks = pictures.mean(axis=1).reshape(len(rows), -1, COLOURS, size, COLOURS, size)
    return np.asarray(blocks.mean(axis=(3, 5)).reshape(len(rows), -1))


def _has(rows: pd.DataFrame, facet: Facet) -> np.ndarray:
    return np.array([facet.name in present for present in rows["facets"]], dtype=bool)
