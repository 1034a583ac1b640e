"""Rounding of the occupancies of sites, and when those of two sites are equal."""

from pymatgen.core import Composition

# Occupancies are stated with two decimals or more.  The margin is for numbers in single precision.
OCCUPANCY_WITHIN = 5e-3 + 1e-6
# Elements whose occupancies may be off by more: those that carry the remainder on either of two sites.
N_CARRIERS = 2


def remainder_within(n_elements: int) -> float:
    """Return how far the occupancies of an element that carries the remainder may differ.

    Three thirds are stated as 0.33, 0.33 and 0.34 or as 0.34, 0.33 and 0.33: one of the elements absorbs the
    rounding of all others.

    Parameters
    ----------
    n_elements
        Number of elements on the site.
    """
    return OCCUPANCY_WITHIN * max(1, n_elements - 1)


def are_alike(first: Composition, second: Composition) -> bool:
    """Return whether two sites hold the same within the rounding of their occupancies."""
    ours, theirs = first.get_el_amt_dict(), second.get_el_amt_dict()
    if ours.keys() != theirs.keys():
        return False
    *others, last = sorted(abs(amount - theirs[element]) for element, amount in ours.items())
    return last <= remainder_within(len(ours)) and all(
        difference <= OCCUPANCY_WITHIN for difference in others[: len(ours) - N_CARRIERS]
    )
