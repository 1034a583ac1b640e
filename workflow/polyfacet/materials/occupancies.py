"""How occupancies of sites are rounded, and when those of two sites are equal."""

from pymatgen.core import Composition

# Occupancies are stated with two decimals or more.  The margin is for numbers in single precision.
OCCUPANCY_WITHIN = 5e-3 + 1e-6


def are_alike(first: Composition, second: Composition) -> bool:
    """Tell whether two sites hold the same within the rounding of their occupancies."""
    ours, theirs = first.get_el_amt_dict(), second.get_el_amt_dict()
    return ours.keys() == theirs.keys() and all(
        abs(amount - theirs[element]) <= OCCUPANCY_WITHIN for element, amount in ours.items()
    )
