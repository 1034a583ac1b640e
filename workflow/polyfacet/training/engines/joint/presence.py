"""Subsets of facets: those that rows show in a training step, and those by which epochs are compared."""

from collections.abc import Iterable
from itertools import combinations

import torch

from polyfacet.training.engines.joint.settings import Drawing

# Probability that a facet is kept if facets are drawn independently.
KEPT = 0.7
# Facets up to which all subsets compare epochs; with more, subsets of one facet, of all, and of all but one.
ALL_SUBSETS_UP_TO = 4


def drawn_subsets(present: torch.Tensor, drawing: Drawing, done: float) -> torch.Tensor:
    """Draw the facets that each row shows, at least one of those that it has.

    Parameters
    ----------
    present
        Whether a row has a facet, shape ``(rows, facets)``; at least one per row.
    drawing
        With ``uniform``, each non-empty subset of the facets of a row has the same probability.
    done
        Share of the training that is done; ``progressive`` hides more and more.
    """
    if drawing == "none":
        return present
    probability = {"uniform": 0.5, "independent": KEPT, "progressive": 1 - (1 - KEPT) * done}[drawing]
    drawn = present & (torch.rand(present.shape) < probability)
    while (empty := ~drawn.any(dim=1)).any():
        again = present[empty]
        drawn[empty] = again & (torch.rand(again.shape) < probability)
    return drawn


def compared_subsets(n_facets: int, drawing: Drawing) -> torch.Tensor:
    """Return the subsets of facets by which epochs are compared, shape ``(subsets, facets)``.

    A network that was never shown a subset is not chosen by it.
    """
    if drawing == "none":
        return subsets_of(n_facets, (n_facets,))
    if n_facets <= ALL_SUBSETS_UP_TO:
        return all_subsets(n_facets)
    return subsets_of(n_facets, (1, n_facets - 1, n_facets))


def all_subsets(n_facets: int) -> torch.Tensor:
    """Return all non-empty subsets of facets, smallest first, shape ``(subsets, facets)``."""
    return subsets_of(n_facets, range(1, n_facets + 1))


def subsets_of(n_facets: int, sizes: Iterable[int]) -> torch.Tensor:
    """Return the subsets of some sizes, shape ``(subsets, facets)``."""
    chosen = [subset for size in sizes for subset in combinations(range(n_facets), size)]
    found = torch.zeros(len(chosen), n_facets, dtype=torch.bool)
    for row, subset in enumerate(chosen):
        found[row, list(subset)] = True
    return found
