"""Where the first relevant item of each query is in its ranking; ties are in random order."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

Array = NDArray[np.float64]
Counts = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Places:
    """Where the first relevant item of each query is.

    Items with the same score are in random order; all numbers are expectations over it.

    Attributes
    ----------
    better
        Number of items with a higher score than the best relevant one, shape ``(queries,)``.
    equal
        Number of items with its score, itself included.
    relevant
        Number of relevant items among these.
    """

    better: Counts
    equal: Counts
    relevant: Counts

    @classmethod
    def of(cls, scores: Array, relevant: Mask, gallery: Mask | None = None) -> "Places":
        """Find the places of the first relevant items.

        Parameters
        ----------
        scores
            Of each item for each query, the higher the better, shape ``(queries, items)``.
        relevant
            Whether an item answers a query; each query needs one in its gallery.
        gallery
            Whether an item is in the gallery of a query; None for all.

        Raises
        ------
        ValueError
            If a query has no relevant item in its gallery, or a score is not a number.
        """
        shown = np.ones(scores.shape, dtype=bool) if gallery is None else gallery
        wanted = relevant & shown
        if not wanted.any(axis=1).all():
            raise ValueError("a query has no relevant item in its gallery")
        if np.isnan(scores).any():
            raise ValueError("a score is not a number")
        best = np.where(wanted, scores, -np.inf).max(axis=1, keepdims=True)
        return cls(
            ((scores > best) & shown).sum(axis=1),
            ((scores == best) & shown).sum(axis=1),
            ((scores == best) & wanted).sum(axis=1),
        )

    @classmethod
    def by_chance(cls, items: Counts, relevant: Counts) -> "Places":
        """Return the places in random rankings, of so many items with so many relevant ones."""
        return cls(np.zeros_like(items), items, relevant)

    def __getitem__(self, queries: Counts) -> "Places":
        return Places(self.better[queries], self.equal[queries], self.relevant[queries])

    def recall(self, k: int) -> Array:
        """Return the probability that a relevant item is among the first ``k``, shape ``(queries,)``."""
        n_drawn = np.clip(k - self.better, 0, self.equal)
        n_others = self.equal - self.relevant
        certain = n_drawn > n_others
        missed = _log_choose(n_others, np.where(certain, 0, n_drawn)) - _log_choose(self.equal, n_drawn)
        return np.where(certain, 1.0, -np.expm1(missed))

    def rank(self) -> Array:
        """Return the expected rank of the first relevant item, from 1, shape ``(queries,)``."""
        return self.better + (self.equal + 1) / (self.relevant + 1)

    def reciprocal_rank(self) -> Array:
        """Return the expectation of one over that rank, shape ``(queries,)``."""
        kinds, which = np.unique(
            np.stack([self.better, self.equal, self.relevant], axis=1), axis=0, return_inverse=True
        )
        return np.array([_reciprocal(*map(int, kind)) for kind in kinds])[which.ravel()]


def _reciprocal(better: int, equal: int, relevant: int) -> float:
    """Return the mean of one over the rank of the first of some relevant items among equal ones."""
    first = np.arange(1, equal - relevant + 2)
    chances = np.exp(_log_choose(equal - first, relevant - 1) - _log_choose(equal, relevant))
    return float((chances / (better + first)).sum())


def _log_choose(n: Counts | int, k: Counts | int) -> Array:
    n, k = np.asarray(n), np.asarray(k)
    found: Array = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    return found
