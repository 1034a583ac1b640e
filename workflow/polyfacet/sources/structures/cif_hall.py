"""Reject a Hall symbol of another setting than the one that was applied."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pymatgen.core.operations import SymmOp
from spglib import get_symmetry_from_database

from polyfacet.sources.structures.cif_group import FRACTIONS, space_group_types
from polyfacet.sources.values import InvalidEntryError, shown

# Rotations, and shifts in fractions.
Operations = frozenset[tuple[tuple[int, ...], tuple[int, ...]]]


def check_hall(halls: Iterable[str], used: Sequence[str], operations: Iterable[SymmOp]) -> None:
    """Reject a Hall symbol of another setting than the one that was applied.

    Parameters
    ----------
    halls
        The stated Hall symbols; unknown ones contradict nothing.
    used
        Other symbols and numbers, of which the first is quoted.
    operations
        The operations that were applied.

    Raises
    ------
    InvalidEntryError
        If the operations of a symbol are others.
    """
    known = {hall: named for hall in halls if (named := _operations_of(hall))}
    if not known:
        return
    applied = _comparable((each.rotation_matrix, each.translation_vector) for each in operations)
    for hall, named in known.items():
        if named != applied:
            raise InvalidEntryError(
                f"the CIF states the Hall symbol {shown(hall)}, which is another setting or origin than "
                f"{shown(used[0])} stands for: correct them, or list the operations"
            )


@cache
def _operations_of(symbol: str) -> Operations:
    """Return the operations of a Hall symbol; none if it is unknown."""
    # Spaces matter: `P 3 2` is the group P 3 1 2, `P 32` is P 32.
    plain = " ".join(symbol.split())
    numbers = (number for number, found in enumerate(space_group_types(), 1) if found.hall_symbol == plain)
    number = next(numbers, None)
    listed = get_symmetry_from_database(number) if number is not None else None
    if listed is None:
        return frozenset()
    return _comparable(zip(listed["rotations"], listed["translations"], strict=True))


def _comparable(operations: Iterable[tuple[NDArray[Any], NDArray[np.float64]]]) -> Operations:
    """Return operations so that those that differ by rounding or whole cells are equal."""
    return frozenset(
        (_whole_numbers(rotation), _whole_numbers(np.rint(shift * FRACTIONS) % FRACTIONS))
        for rotation, shift in operations
    )


def _whole_numbers(values: NDArray[Any]) -> tuple[int, ...]:
    return tuple(np.rint(values).astype(int).flatten().tolist())
