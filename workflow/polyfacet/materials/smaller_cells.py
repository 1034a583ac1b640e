"""Decide whether pymatgen may find a smaller cell of a crystal, without its search through all of them.

Pymatgen tries all lattices that may contain the cell's lattice, 250,000 for 216 sites of one element.  It
compares each with all translations, and compares all pairs of sites if the vectors are nearly among them.
Here a vector that is not a translation rules out all lattices that contain it, and a few sites rule out most
of the others.  The conditions are pymatgen's own, and its further conditions are assumed to hold: if no
lattice is left, its search ends with the original cell.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pymatgen.core import Structure

from polyfacet.materials.periodic_points import PeriodicPoints

# Sites that nearly always suffice to show that a lattice does not fit.
N_PROBES = 4
# Lattices that are tested together; the distances of more would exhaust memory.
N_TOGETHER = 64
# Pymatgen's sums of the same numbers differ in the last digits.
ROUNDING = 1 + 1e-6


def may_have_smaller_cell(crystal: Structure, within_a: float) -> bool:
    """Return whether ``crystal.get_primitive_structure(within_a)`` may find a smaller cell.

    Parameters
    ----------
    crystal
        The crystal in any cell.
    within_a
        Largest distance of equivalent sites along each axis of the smaller cell, A.
    """
    groups = _coordinates_by_species(crystal)
    n_units = math.gcd(*map(len, groups))
    if n_units == 1:
        return False
    within_a *= ROUNDING
    translations = _translations(groups, np.array(crystal.lattice.abc), within_a)
    for multiples in _sublattices(translations, n_units, within_a):
        for start in range(0, len(multiples), N_TOGETHER):
            left = multiples[start : start + N_TOGETHER]
            for coords in groups:
                left = _with_enough_partners(left, coords, coords[:N_PROBES], crystal, within_a)
            if any(_fits(multiple, groups, crystal, within_a) for multiple in left):
                return True
    return False


def _coordinates_by_species(crystal: Structure) -> list[NDArray[np.float64]]:
    """Group the fractional coordinates in pymatgen's order; its search starts with the rarest sites."""
    groups: dict[str, list[NDArray[np.float64]]] = {}
    for site in crystal:
        groups.setdefault(site.species_string, []).append(site.frac_coords)
    return [np.array(groups[name]) for name in sorted(groups)]


@dataclass(frozen=True)
class _Translations:
    """Vectors that may map the crystal onto itself: as points of the cell, and of its face along a and b."""

    whole: PeriodicPoints
    in_face: PeriodicPoints


def _translations(
    groups: list[NDArray[np.float64]], lengths: NDArray[np.float64], within_a: float
) -> _Translations:
    """Find the vectors between the rarest sites that map some sites near enough to others for pymatgen."""
    groups = sorted(groups, key=len)
    vectors = groups[0] - groups[0][0]
    for coords in groups:
        sites = PeriodicPoints(coords, lengths)
        for probe in coords[:N_PROBES]:
            vectors = vectors[sites.are_near(probe + vectors, 2 * within_a)]
    return _Translations(PeriodicPoints(vectors, lengths), PeriodicPoints(vectors[:, :2], lengths[:2]))


def _sublattices(translations: _Translations, n_units: int, within_a: float) -> Iterator[NDArray[np.int64]]:
    """Yield the lattices whose vectors are nearly translations, as matrices that turn them into the cell's.

    A matrix is ``[[a, b, c], [0, e, f], [0, 0, g]]`` with ``b`` and ``c`` below ``a`` and ``f`` below ``e``;
    the vectors of its lattice are the rows of its inverse.

    Yields
    ------
    NDArray
        Shape ``(n, 3, 3)``.
    """
    for g in _divisors(n_units):
        if not translations.whole.are_near(np.array([[0, 0, 1 / g]]), within_a)[0]:
            continue
        for e in _divisors(n_units // g):
            f = np.arange(e)
            second = np.stack([np.zeros(e), np.full(e, 1 / e), -f / (e * g)], axis=1)
            allowed = f[translations.whole.are_near(second, within_a)]
            for a in _divisors(n_units // (e * g)) if len(allowed) else ():
                if a * e * g > 1:
                    yield _with_first_vector(translations, a, e, g, allowed, within_a)


def _with_first_vector(
    translations: _Translations, a: int, e: int, g: int, allowed: NDArray[np.int64], within_a: float
) -> NDArray[np.int64]:
    """Return the matrices with given diagonal and ``f`` whose first vector is also nearly a translation."""
    b = np.arange(a)
    b = b[translations.in_face.are_near(np.stack([np.full(a, 1 / a), -b / (a * e)], axis=1), within_a)]
    f, b, c = (part.ravel() for part in np.meshgrid(allowed, b, np.arange(a), indexing="ij"))
    first = np.stack([np.full(len(b), 1 / a), -b / (a * e), (b * f - c * e) / (a * e * g)], axis=1)
    is_near = translations.whole.are_near(first, within_a)
    matrices = np.zeros((int(is_near.sum()), 3, 3), np.int64)
    matrices[:, 0, 0], matrices[:, 1, 1], matrices[:, 2, 2] = a, e, g
    matrices[:, 0, 1], matrices[:, 0, 2], matrices[:, 1, 2] = b[is_near], c[is_near], f[is_near]
    return matrices


def _divisors(number: int) -> list[int]:
    return [divisor for divisor in range(1, number + 1) if number % divisor == 0]


def _with_enough_partners(
    multiples: NDArray[np.int64],
    coords: NDArray[np.float64],
    probes: NDArray[np.float64],
    crystal: Structure,
    within_a: float,
) -> NDArray[np.int64]:
    """Select the lattices whose vectors map enough sites near each probe: one for each smaller cell."""
    if not len(multiples):
        return multiples
    vectors = np.linalg.inv(multiples) @ crystal.lattice.matrix
    within = within_a / np.linalg.norm(vectors, axis=2)
    steps = (probes[:, None] - coords).reshape(-1, 3) @ multiples
    steps -= np.round(steps)
    is_close = np.all(np.abs(steps) < within[:, None], axis=2).reshape(len(multiples), len(probes), -1)
    sizes = np.round(np.linalg.det(multiples))
    return multiples[np.all(is_close.sum(axis=2) >= sizes[:, None], axis=1)]


def _fits(
    multiple: NDArray[np.int64], groups: list[NDArray[np.float64]], crystal: Structure, within_a: float
) -> bool:
    """Return whether every site has partners in all cells of a lattice."""
    return all(
        len(_with_enough_partners(multiple[None], coords, coords, crystal, within_a)) for coords in groups
    )
