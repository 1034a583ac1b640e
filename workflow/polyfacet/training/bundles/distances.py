"""How far a material is from the training set, and when it is unlike all of it.

A material is compared by its composition, and by the numbers of each vector facet that the model looks at
(graph embedding, process conditions), unless the model accepts materials without them.  Composition
features are the mean and the standard deviation of the 56 element properties over the atoms.  All numbers
are standardized over the training set.  The distance of two materials is the root mean square of the
differences of their composition features, combined (as the root of the sum of squares) with that of each
vector facet: the unit is one standard deviation of the training set per kind of input.

A material is unlike the training set if it is farther from its nearest training material than nearly all
training materials are from each other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler

from polyfacet.facets.compimage.statistics import STATISTICS
from polyfacet.facets.compimage.statistics_of_formulas import statistics_of_formulas
from polyfacet.facets.compimage.statistics_table import SHAPE
from polyfacet.runtime.identifiers import stable_hash
from polyfacet.runtime.parquet import column

Array = NDArray[np.float64]

# Distances below this, in standard deviations, are rounding errors.
EQUAL_WITHIN = 1e-6
# Share of the training materials that are not farther from the nearest other one than the threshold.
QUANTILE = 0.95
# The quantile is estimated on a draw of at most this many training materials.
MAX_COMPARED = 2_000


def training_set_schema(vectors: Mapping[str, int]) -> pa.Schema:
    """Declare the table of training materials.

    Parameters
    ----------
    vectors
        Vector facets of the combination, and how many numbers each has.
    """
    return pa.schema(
        [
            column("mat_id", pa.string(), "identifier of a material that the model was trained on"),
            column("formula", pa.string(), "its formula"),
            *(
                column(name, pa.list_(pa.float64(), size), f"numbers of the facet {name}")
                for name, size in vectors.items()
            ),
        ]
    )


def composition_features(formulas: Sequence[str], elements: pd.DataFrame) -> Array:
    """Return the composition features of formulas, shape (formulas, 112).

    A feature is NaN where its property is known for no element of the formula; all are NaN where the table
    lacks an element.

    Parameters
    ----------
    formulas
        Formulas.
    elements
        Table of element properties.
    """
    distinct = {formula: formula for formula in formulas}
    rows, _ = statistics_of_formulas(distinct, elements, "polyfacet", "stable")
    mean, variance = STATISTICS.index("ave"), STATISTICS.index("var")
    unknown = np.full(2 * SHAPE[1], np.nan)
    features = dict.fromkeys(distinct, unknown)
    for row in rows:
        values = row["statistics"].reshape(SHAPE)
        features[row["mat_id"]] = np.concatenate([values[mean], np.sqrt(values[variance])])
    return np.stack([features[formula] for formula in formulas])


@dataclass(frozen=True)
class Nearest:
    """The nearest training material of each material.

    Attributes
    ----------
    distance
        Shape (materials,); NaN where an element has no known properties.
    mat_id
        Identifier of the training material; None where there is no distance.
    """

    distance: Array
    mat_id: list[str | None]


class TrainingSet:
    """The training materials, ready for the search of neighbours.

    Parameters
    ----------
    materials
        Rows of the table of training materials.
    elements
        Table of element properties.
    vectors
        Vector facets to compare in addition to the composition.
    """

    def __init__(self, materials: pd.DataFrame, elements: pd.DataFrame, vectors: Sequence[str]) -> None:
        self._elements, self._vectors = elements, tuple(vectors)
        features, known = self._features(materials)
        self._mat_ids = materials["mat_id"].to_numpy()[known]
        self._scalers = [StandardScaler().fit(block) for block in features]
        self._points = self._scaled(features)
        self._search = NearestNeighbors(n_neighbors=1).fit(self._points)

    def nearest(self, materials: pd.DataFrame) -> Nearest:
        """Find the nearest training material of each material.

        Parameters
        ----------
        materials
            ``formula``, and a column for each vector facet.
        """
        features, known = self._features(materials)
        distances = np.full(len(materials), np.nan)
        names: list[str | None] = [None] * len(materials)
        if known.any():
            found, indices = self._search.kneighbors(self._scaled(features))
            distances[known] = _without_rounding(found[:, 0])
            for row, index in zip(np.flatnonzero(known), indices[:, 0], strict=True):
                names[row] = str(self._mat_ids[index])
        return Nearest(distances, names)

    def threshold(self, quantile: float = QUANTILE) -> float:
        """Return the quantile of the training materials' distances to their nearest other one.

        It is estimated on at most `MAX_COMPARED` of them, chosen by a hash of their identifiers.
        """
        if len(self._points) < 2:
            return 0.0
        order = sorted(range(len(self._mat_ids)), key=lambda row: stable_hash("compared", self._mat_ids[row]))
        chosen = self._points[order[:MAX_COMPARED]]
        # The nearest one is the material itself.
        distances, _ = self._search.kneighbors(chosen, n_neighbors=2)
        return float(np.quantile(_without_rounding(distances[:, 1]), quantile))

    def _features(self, materials: pd.DataFrame) -> tuple[list[Array], NDArray[np.bool_]]:
        """Return the numbers of each kind, of the materials whose elements are known, and which these are."""
        composition = composition_features(list(materials["formula"]), self._elements)
        vectors = [np.stack(list(materials[name])).astype(np.float64) for name in self._vectors]
        known: NDArray[np.bool_] = np.asarray(~np.isnan(composition).all(axis=1))
        return [block[known] for block in (composition, *vectors)], known

    def _scaled(self, features: Sequence[Array]) -> Array:
        """Standardize; each kind of input counts the same, and a missing number is the mean."""
        blocks = [
            scaler.transform(values) / np.sqrt(values.shape[1])
            for scaler, values in zip(self._scalers, features, strict=True)
        ]
        return np.nan_to_num(np.hstack(blocks), nan=0.0)


def _without_rounding(distances: Array) -> Array:
    """Return distances in which equal materials are at 0: the search leaves rounding errors."""
    return np.where(distances < EQUAL_WITHIN, 0.0, distances)
