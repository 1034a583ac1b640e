"""The symmetry operations of a CIF as a group: why they are none, and which one they are."""

import re
import warnings
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pymatgen.core.operations import SymmOp
from spglib import SpaceGroupType, get_spacegroup_type, get_spacegroup_type_from_symmetry

from polyfacet.sources.values import shown

# A component such as `x-y+1/3`, without white space.
_TERM = r"(?:[xyz]|\d+/[1-9]\d*|\d*\.?\d+\.?)"
COMPONENT = re.compile(rf"[-+]?{_TERM}(?:[-+]{_TERM})*")
# Shifts may be rounded, as 0.33 is; every group has shifts that are multiples of a twenty-fourth.
SHIFT_WITHIN = 2e-2
SHIFT_DIGITS = 2
FRACTIONS = 24
WHOLE_WITHIN = 1e-6
# More than in any setting; products of that many would take long.
MAX_OPERATIONS = 2000
N_HALL_SYMBOLS = 530
# Weights by which the components of a rotation become a number that no other has.
BASES = 31.0 ** np.arange(9)

Rotations = NDArray[np.float64]
Shifts = NDArray[np.float64]
Codes = NDArray[np.int64]


class Group(NamedTuple):
    """A group of symmetry operations.

    Parameters
    ----------
    rotations
        The distinct rotations; shape (n, 3, 3).
    order
        Number of distinct operations, those of a centred cell included.
    number
        Number of the space group; None if it is unknown.
    """

    rotations: Rotations
    order: int
    number: int | None


class NoGroupError(ValueError):
    """Symmetry operations that are not a group; the message says why."""


def check_form(operations: Sequence[str]) -> None:
    """Reject texts of which the parser would read some characters.

    Raises
    ------
    NoGroupError
        If an operation is not three sums of coordinates and fractions.
    """
    for text in operations:
        components = "".join(text.lower().split()).split(",")
        if len(components) != 3 or not all(map(COMPONENT.fullmatch, components)):
            raise NoGroupError(f"the symmetry operation {shown(text)} is not of the form x, y, z+1/2")


def group_of(operations: Sequence[SymmOp]) -> Group:
    """Return the group of symmetry operations.

    Raises
    ------
    NoGroupError
        If one of them is not a symmetry of any cell, or some are missing.
    """
    if len(operations) > MAX_OPERATIONS:
        raise NoGroupError(f"the CIF lists {len(operations)} symmetry operations, more than {MAX_OPERATIONS}")
    stated = np.array([operation.rotation_matrix for operation in operations])
    rotations = np.round(stated)
    is_whole = abs(stated - rotations).max((1, 2)) < WHOLE_WITHIN
    wrong = ~is_whole | (abs(np.linalg.det(rotations)).round() != 1)
    if wrong.any():
        text = operations[int(wrong.argmax())].as_xyz_str()
        raise NoGroupError(f"the symmetry operation {shown(text)} does not map a cell onto itself")
    shifts = np.array([operation.translation_vector for operation in operations])
    rotations, shifts = _distinct(rotations, shifts)
    _check_closed(rotations, shifts)
    return Group(np.unique(rotations, axis=0), len(rotations), _number(rotations, shifts))


@cache
def space_group_types() -> list[SpaceGroupType]:
    """Return the space group type of each Hall symbol, in spglib's order."""
    with warnings.catch_warnings():
        # Of a coming change in how spglib reports errors, which this call does not have.
        warnings.simplefilter("ignore", DeprecationWarning)
        types = [get_spacegroup_type(hall) for hall in range(1, N_HALL_SYMBOLS + 1)]
    return [found for found in types if found is not None]


def _distinct(rotations: Rotations, shifts: Shifts) -> tuple[Rotations, Shifts]:
    """Leave out repeated operations; shifts by whole cells make no difference."""
    rows = np.hstack([rotations.reshape(-1, 9), np.round(shifts, SHIFT_DIGITS) % 1])
    _, first = np.unique(rows, axis=0, return_index=True)
    return rotations[first], shifts[first]


def _check_closed(rotations: Rotations, shifts: Shifts) -> None:
    """Reject operations without the identity, or of which a product is missing."""
    is_identity = (rotations == np.eye(3)).all((1, 2)) & (_away(shifts) < SHIFT_WITHIN)
    if not is_identity.any():
        raise NoGroupError("the symmetry operations lack the identity 'x, y, z': list all operations")
    codes = _codes(rotations)
    kinds, counts = np.unique(codes, return_counts=True)
    # In a group, every rotation comes with equally many shifts.
    is_closed = (counts == counts[0]).all()
    if is_closed:
        shifts_of = shifts[np.argsort(codes, kind="stable")].reshape(len(kinds), -1, 3)
        pairs = zip(rotations, shifts, strict=True)
        is_closed = all(
            _holds(kinds, shifts_of, _codes(first @ rotations), shifts @ first.T + shift)
            for first, shift in pairs
        )
    if not is_closed:
        raise NoGroupError(
            f"the {len(rotations)} symmetry operations are not a group: some are missing, or one is wrong"
        )


def _holds(kinds: Codes, shifts_of: Shifts, codes: Codes, shifts: Shifts) -> bool:
    """Return whether operations are among those with these kinds of rotations and shifts of each kind."""
    kind = np.searchsorted(kinds, codes).clip(max=len(kinds) - 1)
    if (kinds[kind] != codes).any():
        return False
    return bool((_away(shifts[:, None] - shifts_of[kind]) < SHIFT_WITHIN).any(1).all())


def _codes(rotations: Rotations) -> Codes:
    """Return a whole number per rotation."""
    return np.asarray(rotations.reshape(-1, 9) @ BASES).astype(np.int64)


def _away(shifts: Shifts) -> NDArray[np.float64]:
    """Return the largest distance of a component from a whole number."""
    return np.asarray(abs(shifts - np.round(shifts)).max(-1))


def _number(rotations: Rotations, shifts: Shifts) -> int | None:
    fractions = np.round(shifts * FRACTIONS) / FRACTIONS
    if (abs(fractions - shifts) > SHIFT_WITHIN).any():
        return None
    found = get_spacegroup_type_from_symmetry(rotations.astype(np.intc), fractions % 1)
    return None if found is None else int(found.number)
