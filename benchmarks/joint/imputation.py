"""Imputation of missing facets from the others by ridge regression."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from benchmarks.joint.materials import Mask
from numpy.typing import NDArray
from PIL import Image
from sklearn.linear_model import RidgeCV

from polyfacet.elements.symbols import ELEMENTS
from polyfacet.facets.compimage.image import HEIGHT, WIDTH
from polyfacet.facets.declaration import Facet
from polyfacet.facets.registry import encoding_column
from polyfacet.training.engines.joint.inputs import has_facet
from polyfacet.training.engines.numeric_facets import original_features

Array = NDArray[np.float64]

# Numbers of a facet are predicted from the other facets, with missing ones as imputed so far.
N_ROUNDS = 3
PENALTIES = (10.0, 100.0, 1000.0, 10_000.0)
# Elements with less are not written into an imputed formula, and at most this many are.
LEAST_FRACTION, MOST_ELEMENTS = 0.05, 4
WHITE = 255


@dataclass(frozen=True, eq=False)
class Imputer:
    """Ridge regressions of each facet on the others, in rounds.

    Attributes
    ----------
    facets
        All facets.
    means, deviations
        Of the numbers of each facet, in the training rows that have it.
    rounds
        Of each round, the regression of each facet.
    """

    facets: tuple[Facet, ...]
    means: list[Array]
    deviations: list[Array]
    rounds: list[list[RidgeCV]]

    @classmethod
    def fit(cls, rows: pd.DataFrame, facets: Sequence[Facet]) -> "Imputer":
        """Fit on the training rows, from the facets that they have."""
        known = _known(rows, facets)
        numbers = [original_features(rows[has], [facet]) for has, facet in zip(known.T, facets, strict=True)]
        means = [own.mean(axis=0) for own in numbers]
        deviations = [np.where((std := own.std(axis=0)) > 0, std, 1.0) for own in numbers]
        imputer = cls(tuple(facets), means, deviations, [])
        values = imputer._values(rows, known)
        for _ in range(N_ROUNDS):
            regressions = []
            for place in range(len(facets)):
                inputs, has = _inputs(values, known, place), known[:, place]
                regressions.append(RidgeCV(PENALTIES).fit(inputs[has], values[place][has]))
                values[place][~has] = _predicted(regressions[-1], inputs[~has], values[place])
            imputer.rounds.append(regressions)
        return imputer

    def fill(self, rows: pd.DataFrame, folder: Path) -> pd.DataFrame:
        """Return rows with all facets; composition images are written into a folder."""
        known = _known(rows, self.facets)
        values = self._values(rows, known)
        for regressions in self.rounds:
            for place, regression in enumerate(regressions):
                lacks = ~known[:, place]
                inputs = _inputs(values, known, place)[lacks]
                values[place][lacks] = _predicted(regression, inputs, values[place])
        folder.mkdir()
        filled = rows.copy()
        for place, facet in enumerate(self.facets):
            own = self.means[place] + self.deviations[place] * values[place]
            _write(filled, facet, own, ~known[:, place], folder)
        return filled

    def _values(self, rows: pd.DataFrame, known: Mask) -> list[Array]:
        """Return the scaled numbers of each facet; 0, the mean, where it is missing."""
        values = []
        for place, facet in enumerate(self.facets):
            own, has = np.zeros((len(rows), len(self.means[place]))), known[:, place]
            if has.any():
                numbers = original_features(rows[has], [facet])
                own[has] = (numbers - self.means[place]) / self.deviations[place]
            values.append(own)
        return values


def _known(rows: pd.DataFrame, facets: Sequence[Facet]) -> Mask:
    """Return whether each row has each facet."""
    return np.stack([has_facet(rows, facet) for facet in facets], axis=1)


def _inputs(values: Sequence[Array], known: Mask, place: int) -> Array:
    """Return all facets but one, and which of them are known."""
    others = [own for number, own in enumerate(values) if number != place]
    return np.hstack([*others, np.delete(known, place, axis=1)])


def _predicted(regression: RidgeCV, inputs: Array, like: Array) -> Array:
    return regression.predict(inputs) if len(inputs) else like[:0]


def _write(rows: pd.DataFrame, facet: Facet, numbers: Array, lacks: Mask, folder: Path) -> None:
    """Write imputed numbers into the columns of a facet, in place."""
    places = np.flatnonzero(lacks)
    column = rows[facet.name].tolist()
    encodings = rows[encoding_column(facet)].tolist() if encoding_column(facet) in rows else None
    for place in places:
        column[place] = _shown(facet, numbers[place], folder / f"{facet.name}-{place}.png")
        if encodings:
            encodings[place] = numbers[place].tolist()
    rows[facet.name] = pd.Series(column, rows.index, dtype=object)
    if encodings:
        rows[encoding_column(facet)] = pd.Series(encodings, rows.index, dtype=object)


def _shown(facet: Facet, numbers: Array, path: Path) -> object:
    """Return what a column holds: a formula, a vector, or the path of a picture."""
    if facet.kind == "text":
        return formula_of(numbers)
    if facet.kind == "vector":
        return numbers.tolist()
    if facet.pixels_are_numbers:
        grey = np.rint(numbers.clip(0, 1) * WHITE).astype(np.uint8)
        Image.fromarray(grey.reshape(HEIGHT, WIDTH)).save(path)
    # A structure picture is read by its encoding alone.
    return str(path)


def formula_of(fractions: Array) -> str:
    """Return the formula of the largest of some fractions of elements."""
    largest = np.argsort(-fractions, kind="stable")[:MOST_ELEMENTS]
    kept = [place for place in largest if fractions[place] >= LEAST_FRACTION] or [largest[0]]
    amounts = np.maximum(fractions[kept], LEAST_FRACTION)
    return " ".join(
        f"{ELEMENTS[place]} {amount:.4f}" for place, amount in zip(kept, amounts / amounts.sum(), strict=True)
    )
