"""Check that the properties of an entry agree with each other, whatever its structure."""

from collections.abc import Mapping
from typing import Any

from polyfacet.materials.crystal_objectives import ZERO_WITHIN
from polyfacet.sources.values import InvalidEntryError, given, number

# Rounding error of two values with two decimals.
ROUNDED_WITHIN_EV = 0.01


def check_properties(data: Mapping[str, Any]) -> None:
    """Check the properties of a data block against each other.

    None of 11,705 entries of Alexandria is rejected.

    Parameters
    ----------
    data
        The data block; values that are missing, None or NaN are ignored.

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
    """Reject a direct gap below zero or below the indirect one, which is the smallest of all."""
    if direct is None:
        return
    if direct < -ZERO_WITHIN:
        raise InvalidEntryError(f"band_gap_dir is {direct:g} eV, below 0: no material has that")
    if indirect is not None and direct < indirect - ROUNDED_WITHIN_EV:
        raise InvalidEntryError(
            f"band_gap_dir is {direct:g} eV, less than band_gap_ind, which is {indirect:g}: the indirect "
            "gap is the smallest"
        )


def _check_stability(formation: float | None, above_hull: float | None) -> None:
    """Reject a distance to the hull that would place the hull above the elements."""
    if formation is None or above_hull is None or above_hull >= formation - ROUNDED_WITHIN_EV:
        return
    if formation > 0:
        raise InvalidEntryError(
            f"e_above_hull is {above_hull:g} eV/atom, less than e_form, which is {formation:g}: the hull is "
            "never above the elements"
        )
