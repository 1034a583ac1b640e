"""The symmetry of a cell, determined by spglib."""

from collections.abc import Sequence

import spglib


class SymmetryError(ValueError):
    """The symmetry of a cell cannot be determined; the message is the reason."""


def symmetry_of(
    lattice: Sequence[Sequence[float]],
    positions: Sequence[Sequence[float]],
    kinds: Sequence[int],
    within: float,
) -> spglib.SpglibDataset:
    """Determine the symmetry of a cell.

    Parameters
    ----------
    lattice
        Lattice vectors as rows, shape ``(3, 3)``, A.
    positions
        Fractional coordinates, shape ``(N, 3)``.
    kinds
        Number of the kind of atom on each site, shape ``(N,)``.
    within
        Tolerance of positions, A.

    Raises
    ------
    SymmetryError
        If spglib finds none.
    """
    try:
        found = spglib.get_symmetry_dataset((lattice, positions, kinds), symprec=within)
    except spglib.SpglibError as error:
        raise SymmetryError(f"symmetry cannot be determined: {error}") from error
    if found is None:
        raise SymmetryError(f"symmetry cannot be determined to {within} A")
    return found
