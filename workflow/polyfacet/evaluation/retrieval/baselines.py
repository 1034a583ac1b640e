"""Simple methods of retrieval, fitted on the training part: ridge regression, CCA, decoded compositions."""

from collections.abc import Callable, Mapping

import numpy as np
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler, normalize

from polyfacet.evaluation.retrieval.places import Array

# Fitted on numbers of both facets of training rows; then scores queries against items.
Scorer = Callable[[Array, Array], Array]
ALPHA = 100.0
# Components that canonical correlations are searched in, and how many are compared.
MOST_COMPONENTS, MOST_CORRELATIONS = 64, 32
CCA_RIDGE = 0.1


def fitted_ridge(queries: Array, items: Array) -> Scorer:
    """Predict the numbers of the item from those of the query; score by the cosine.

    Parameters
    ----------
    queries, items
        Numbers of both facets of training rows, shape ``(rows, numbers)``.
    """
    of_queries, of_items = (StandardScaler().fit(each) for each in (queries, items))
    ridge = Ridge(ALPHA).fit(of_queries.transform(queries), of_items.transform(items))

    def scores(asked: Array, searched: Array) -> Array:
        predicted = ridge.predict(of_queries.transform(asked)).reshape(len(asked), -1)
        return cosines(predicted, of_items.transform(searched))

    return scores


def fitted_cca(queries: Array, items: Array) -> Scorer:
    """Compare both facets in the directions in which they are correlated (regularised CCA).

    Components of each facet are whitened, with a ridge, and the cross-covariance is decomposed.  Parameters
    are those of `fitted_ridge`.
    """
    (of_queries, left), (of_items, right) = (_whitened(each) for each in (queries, items))
    from_left, strengths, from_right = np.linalg.svd(left.T @ right / len(left), full_matrices=False)
    n = min(MOST_CORRELATIONS, len(strengths))
    weights = np.sqrt(strengths[:n])

    def scores(asked: Array, searched: Array) -> Array:
        return cosines(
            of_queries(asked) @ from_left[:, :n] * weights, of_items(searched) @ from_right[:n].T * weights
        )

    return scores


def fitted_decoder(queries: Array, items: Array, fractions: Array) -> Scorer:
    """Predict the composition from each facet, and compare these.

    Parameters
    ----------
    queries, items
        See `fitted_ridge`.
    fractions
        Atomic fraction of each element in training rows, shape ``(rows, elements)``.
    """
    of_queries, of_items = (_composition_of(each, fractions) for each in (queries, items))
    return lambda asked, searched: -_distances(of_queries(asked), of_items(searched))


BASELINES: Mapping[str, Callable[[Array, Array], Scorer]] = {"ridge": fitted_ridge, "cca": fitted_cca}


def cosines(queries: Array, items: Array) -> Array:
    """Return the cosine of each query with each item, shape ``(queries, items)``."""
    found: Array = normalize(queries) @ normalize(items).T
    return found


def _whitened(numbers: Array) -> tuple[Callable[[Array], Array], Array]:
    """Return a function that whitens numbers, and those that it was fitted on, whitened."""
    scaler = StandardScaler().fit(numbers)
    components = PCA(min(MOST_COMPONENTS, *numbers.shape), svd_solver="full").fit(scaler.transform(numbers))
    widths = np.sqrt(components.explained_variance_ + CCA_RIDGE)

    def whitened(each: Array) -> Array:
        found: Array = components.transform(scaler.transform(each)) / widths
        return found

    return whitened, whitened(numbers)


def _composition_of(numbers: Array, fractions: Array) -> Callable[[Array], Array]:
    scaler = StandardScaler().fit(numbers)
    ridge = Ridge(ALPHA).fit(scaler.transform(numbers), fractions)

    def decoded(each: Array) -> Array:
        found: Array = np.clip(ridge.predict(scaler.transform(each)), 0, 1)
        return found

    return decoded


def _distances(queries: Array, items: Array) -> Array:
    """Return the sum of absolute differences, shape ``(queries, items)``."""
    return np.array([np.abs(items - query).sum(axis=1) for query in queries])
