"""Compare what a source states of a crystal with the crystal: formula, lattice parameters, positions."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from polyfacet.materials.reduced_formula import reduced_formula
from polyfacet.sources.structure_checks import (
    MAX_FRACTIONAL,
    EntrySites,
    atoms_by_element,
)
from polyfacet.sources.values import InvalidEntryError, number

# Tolerances: relative for volumes and lengths, absolute for angles and positions.  Entries are written with
# five digits or more.
LENGTH_WITHIN = 1e-3
ANGLE_WITHIN_DEG = 0.1
POSITION_WITHIN_A = 0.01
# Atoms in a fully occupied cell; otherwise fractions of all atoms, which are written with two decimals.
ATOMS_WITHIN = 1e-2
SHARE_WITHIN = 5e-3


@dataclass(frozen=True)
class Cell:
    """Quantities derived from an entry's structure.

    Parameters
    ----------
    formula
        Reduced formula.
    amounts
        Atoms per cell by symbol.
    added
        Atoms per cell by symbol that were added to fill sites (see `EntrySites`).
    matrix
        Lattice vectors as rows, A.
    volume
        Volume of the cell, A^3.
    positions
        Fractional coordinates of the sites.
    """

    formula: str
    amounts: Mapping[str, float]
    added: Mapping[str, float]
    matrix: Sequence[Sequence[float]]
    volume: float
    positions: Sequence[Sequence[float]]

    @classmethod
    def of(cls, matrix: Sequence[Sequence[float]], volume: float, found: EntrySites) -> Self:
        """Derive the quantities from checked lattice vectors, the volume and checked sites."""
        amounts = atoms_by_element(found.sites)
        positions = [site["abc"] for site in found.sites]
        return cls(reduced_formula(amounts), amounts, found.added, matrix, volume, positions)

    @property
    def n_atoms(self) -> float:
        """Atoms per cell; a half-occupied site counts as half an atom."""
        return math.fsum(self.amounts.values())

    @property
    def stated_amounts(self) -> dict[str, float]:
        """Atoms per cell by symbol: sums of the occupancies before any site was filled."""
        return {symbol: amount - self.added.get(symbol, 0.0) for symbol, amount in self.amounts.items()}


def are_stated(stated: Mapping[str, float], cell: Cell) -> bool:
    """Return whether amounts equal the occupancies before rounding was corrected."""
    amounts = cell.stated_amounts
    return bool(cell.added) and stated.keys() == amounts.keys() and shares_are_close(stated, amounts)


def shares_are_close(
    stated: Mapping[str, float], amounts: Mapping[str, float], within: float = SHARE_WITHIN
) -> bool:
    """Return whether the amounts of the same elements are equal fractions of their sums."""
    total, all_stated = sum(amounts.values()), sum(stated.values())
    return all_stated > 0 and all(
        abs(stated[symbol] / all_stated - amounts[symbol] / total) <= within for symbol in stated
    )


def are_whole(amounts: Mapping[str, float]) -> bool:
    """Return whether amounts are whole numbers of atoms."""
    return all(abs(amount - round(amount)) <= ATOMS_WITHIN for amount in amounts.values())


def check_lattice(structure: Mapping[str, Any], cell: Cell) -> None:
    """Compare lattice parameters, volume and Cartesian coordinates, if stated, with lattice and sites.

    Raises
    ------
    InvalidEntryError
        If one differs.
    """
    lattice = structure["lattice"]
    lengths = [math.hypot(*row) for row in cell.matrix]
    check_close(lattice.get("volume"), cell.volume, "lattice volume")
    for name, length in zip("abc", lengths, strict=True):
        check_close(lattice.get(name), length, f"lattice {name}")
    for name, angle in zip(("alpha", "beta", "gamma"), _angles(cell.matrix, lengths), strict=True):
        stated = lattice.get(name)
        if stated is not None and not abs(number(stated, f"lattice {name}") - angle) <= ANGLE_WITHIN_DEG:
            raise InvalidEntryError(f"lattice {name} is {stated}, but the lattice has {angle:.4g}")
    _check_positions(structure["sites"], cell)


def _check_positions(sites: Sequence[Mapping[str, Any]], cell: Cell) -> None:
    (ax, ay, az), (bx, by, bz), (cx, cy, cz) = cell.matrix
    for index, (site, (u, v, w)) in enumerate(zip(sites, cell.positions, strict=True)):
        stated = site.get("xyz")
        if stated is None:
            continue
        place = (u * ax + v * bx + w * cx, u * ay + v * by + w * cy, u * az + v * bz + w * cz)
        if not isinstance(stated, list) or len(stated) != 3:
            raise InvalidEntryError(f"xyz of site {index} is not a list of three numbers")
        x, y, z = stated
        # The fast path: nearly all positions are floats and close.  Others are examined below.
        if (
            type(x) is type(y) is type(z) is float
            and abs(x - place[0]) <= POSITION_WITHIN_A
            and abs(y - place[1]) <= POSITION_WITHIN_A
            and abs(z - place[2]) <= POSITION_WITHIN_A
        ):
            continue
        found = [number(value, f"xyz of site {index}") for value in stated]
        if not _is_an_image(found, place, cell.matrix):
            raise InvalidEntryError(
                f"xyz of site {index} has {_shown(found)}, but its abc and the lattice give {_shown(place)}"
            )


def _is_an_image(stated: Sequence[float], place: Sequence[float], matrix: Sequence[Sequence[float]]) -> bool:
    """Return whether two positions are equal up to lattice vectors: `abc` may be wrapped into the cell."""
    away = np.subtract(stated, place)
    cells = np.round(np.linalg.solve(np.transpose(matrix), away))
    # Far from the origin, the precision of a number no longer resolves the position in the cell.
    if not np.abs(cells).max() <= MAX_FRACTIONAL:
        return False
    return bool(np.abs(away - cells @ np.array(matrix)).max() <= POSITION_WITHIN_A)


def _shown(position: Sequence[float]) -> str:
    return f"[{', '.join(f'{value:.4g}' for value in position)}]"


def _angles(matrix: Sequence[Sequence[float]], lengths: Sequence[float]) -> Iterator[float]:
    for i, j in ((1, 2), (0, 2), (0, 1)):
        (x, y, z), (u, v, w) = matrix[i], matrix[j]
        product = x * u + y * v + z * w
        yield math.degrees(math.acos(max(-1.0, min(1.0, product / (lengths[i] * lengths[j])))))


def check_close(stated: Any, found: float, what: str) -> None:
    """Compare a stated number, if there is one, with that of the lattice."""
    if stated is not None and not abs(number(stated, what) - found) <= LENGTH_WITHIN * found:
        raise InvalidEntryError(f"{what} is {stated}, but the lattice has {found:.4g}")
