"""What is searched, what answers a query, and the best that is possible."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from polyfacet.evaluation.retrieval.places import Array, Counts, Mask, Places
from polyfacet.runtime.identifiers import stable_hash

# All test materials; some of them, always the same number; those with the same elements, or formula.
GalleryName = Literal["all", "fixed", "elements", "formula"]
# The material itself, or any with its formula.
Relevance = Literal["material", "formula"]
FIXED_SIZE = 250


@dataclass(frozen=True, eq=False)
class Search:
    """Queries and their galleries.

    Attributes
    ----------
    queries
        Which materials are asked for, and are the items of the gallery, ascending.
    gallery
        Whether an item is in the gallery of a query, shape ``(queries, queries)``.
    relevant
        Whether it answers the query.
    same_formula
        Whether both have the same formula.
    """

    queries: Counts
    gallery: Mask
    relevant: Mask
    same_formula: Mask

    def places(self, scores: Array) -> Places:
        """Return the places of the answers; scores are those of all materials, shape ``(n, n)``."""
        return Places.of(scores[np.ix_(self.queries, self.queries)], self.relevant, self.gallery)

    def by_chance(self) -> Places:
        """Return the places in random rankings."""
        return Places.by_chance(self.gallery.sum(axis=1), (self.relevant & self.gallery).sum(axis=1))

    def at_best(self, *, tells_formula_only: bool) -> Places:
        """Return the best places that are possible.

        Parameters
        ----------
        tells_formula_only
            Whether one of the two facets is the same for all materials of a formula, so that these are in
            random order.
        """
        tied = self.same_formula & self.gallery if tells_formula_only else self.relevant & self.gallery
        return Places.by_chance(tied.sum(axis=1), (tied & self.relevant).sum(axis=1))


def searches(
    formulas: Sequence[str], elements: Sequence[str], mat_ids: Sequence[str], seed: int
) -> dict[tuple[GalleryName, Relevance], Search]:
    """Return the searches among materials that have both facets.

    Parameters
    ----------
    formulas, elements
        Formula and elements of each material, as texts.
    mat_ids
        Their identifiers.
    seed
        Seed of the gallery of fixed size.

    Returns
    -------
    dict
        Those with queries: where every item of a gallery is an answer, nothing is searched.
    """
    formula, element = np.asarray(formulas), np.asarray(elements)
    n = len(formula)
    itself, everything = np.eye(n, dtype=bool), np.ones((n, n), dtype=bool)
    same_formula = formula[:, None] == formula
    keys = [stable_hash("gallery of fixed size", seed, mat_id) for mat_id in mat_ids]
    fixed = np.sort(np.argsort(np.array(keys, dtype=np.uint64), kind="stable")[:FIXED_SIZE])
    galleries: dict[GalleryName, tuple[Counts, Mask]] = {
        "all": (np.arange(n), everything),
        "fixed": (fixed, everything),
        "elements": (np.arange(n), element[:, None] == element),
        "formula": (np.arange(n), same_formula),
    }
    wanted: dict[Relevance, Mask] = {"material": itself, "formula": same_formula}
    found: dict[tuple[GalleryName, Relevance], Search] = {}
    for name, (rows, gallery) in galleries.items():
        if name == "fixed" and n < FIXED_SIZE:
            continue
        for relevance, relevant in wanted.items():
            square = np.ix_(rows, rows)
            # Where everything is an answer, or there is one item, nothing is searched.
            is_search = (gallery[square] & ~relevant[square]).any(axis=1)
            queries = rows[is_search]
            if len(queries):
                own = np.ix_(queries, queries)
                found[name, relevance] = Search(queries, gallery[own], relevant[own], same_formula[own])
    return found
