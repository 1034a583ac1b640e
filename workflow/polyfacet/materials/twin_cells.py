"""Crystals in the form in which they are compared to find twins: primitive cells in the reduced setting."""

import json
import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import spglib
from numpy.typing import NDArray
from pymatgen.core import Composition, Lattice, Structure

from polyfacet.materials.neighbourhoods import Neighbourhoods, neighbourhoods
from polyfacet.materials.occupancies import are_alike
from polyfacet.materials.periodic_points import PeriodicPoints
from polyfacet.materials.smaller_cells import may_have_smaller_cell
from polyfacet.runtime.machine_failures import raise_machine_failure

logger = logging.getLogger(__name__)

# Sites this close to a lattice translation of others repeat them.
PRIMITIVE_WITHIN_A = 0.1
# Pymatgen's matcher takes minutes for larger cells.
MAX_SITES = 500
# Sites that nearly always suffice to show that a translation does not map a crystal onto itself.
N_PROBES = 16

# Errors that pymatgen raises for cells that are hardly crystals.
INCOMPARABLE = (ValueError, ArithmeticError, IndexError, AssertionError)


@dataclass(frozen=True)
class Candidate:
    """A material that may have twins.

    Parameters
    ----------
    mat_id
        Identifier of the material.
    structure
        JSON of a pymatgen Structure.
    """

    mat_id: str
    structure: str


@dataclass(frozen=True)
class Cell:
    """The cell of a material.

    Parameters
    ----------
    mat_id
        Identifier of the material.
    n_sites
        Number of sites in the cell.
    volume
        Volume per site, A^3.
    """

    mat_id: str
    n_sites: int
    volume: float


@dataclass(frozen=True)
class ReducedCell(Cell):
    """The primitive cell of a material.

    Parameters
    ----------
    structure
        The crystal in the reduced setting of this cell.
    """

    structure: Structure

    @property
    def is_large(self) -> bool:
        """Whether the matcher would take minutes for this cell."""
        return self.n_sites > MAX_SITES

    @cached_property
    def neighbourhoods(self) -> Neighbourhoods:
        """The neighbours of each site."""
        return neighbourhoods(self.structure)

    @cached_property
    def mean_distance(self) -> float:
        """Mean distance of all sites to their nearest neighbours, A; nearly equal for twins."""
        around = self.neighbourhoods
        return float(np.minimum(around.lengths[:, 0], around.reach).mean())


def reduced_cell(material: Candidate) -> Cell:
    """Convert a material's crystal to the form in which it is compared.

    Returns
    -------
    Cell
        A `ReducedCell`, or the given cell if no primitive cell is found.
    """
    given = Structure.from_dict(json.loads(material.structure))
    try:
        primitive = _primitive(_with_equal_sites(given))
        if primitive is not None:
            reduced = primitive.get_reduced_structure("niggli")
            return ReducedCell(material.mat_id, len(reduced), reduced.volume / len(reduced), reduced)
    except INCOMPARABLE as error:
        raise_machine_failure(error)
        logger.warning("%s cannot be compared with others of its formula: %s", material.mat_id, error)
    return Cell(material.mat_id, len(given), given.volume / len(given))


def _with_equal_sites(crystal: Structure) -> Structure:
    """Assign equal occupancies to the sites of a cell whose occupancies differ only by rounding."""
    if crystal.is_ordered:
        return crystal
    kinds: list[Composition] = []
    for composition in sorted({site.species for site in crystal}, key=str):
        if not any(are_alike(composition, kind) for kind in kinds):
            kinds.append(composition)
    species = [next(kind for kind in kinds if are_alike(site.species, kind)) for site in crystal]
    return Structure(crystal.lattice, species, crystal.frac_coords)


def _primitive(crystal: Structure) -> Structure | None:
    """Return the primitive cell; None if it cannot be found in reasonable time."""
    if len(crystal) <= MAX_SITES:
        return _by_pymatgen(crystal)
    if not may_repeat(crystal, PRIMITIVE_WITHIN_A):
        return crystal
    smaller = _by_spglib(crystal)
    return None if smaller is None or len(smaller) > MAX_SITES else _by_pymatgen(smaller)


def _by_pymatgen(crystal: Structure) -> Structure:
    if not may_have_smaller_cell(crystal, PRIMITIVE_WITHIN_A):
        return crystal
    return crystal.get_primitive_structure(PRIMITIVE_WITHIN_A)


def _by_spglib(crystal: Structure) -> Structure | None:
    kinds = sorted({site.species for site in crystal}, key=str)
    numbers = [kinds.index(site.species) + 1 for site in crystal]
    found = spglib.standardize_cell(
        (crystal.lattice.matrix.tolist(), crystal.frac_coords.tolist(), numbers),
        to_primitive=True,
        no_idealize=True,
        symprec=PRIMITIVE_WITHIN_A,
    )
    if found is None:
        return None
    matrix, positions, types = found
    return Structure(Lattice(matrix), [kinds[number - 1] for number in types], positions)


def may_repeat(crystal: Structure, within_a: float) -> bool:
    """Return whether a translation by part of the cell may map the crystal onto itself; else it is primitive.

    Parameters
    ----------
    crystal
        The crystal in any cell.
    within_a
        Largest distance between a site and the translated position of another one, along each axis, A.
    """
    # Distances along the axes of a flat cell say little.
    lattice = crystal.lattice.get_lll_reduced_lattice()
    groups = sorted(_coordinates_by_species(crystal, lattice), key=len)
    lengths = np.array(lattice.abc)
    points = [PeriodicPoints(group, lengths) for group in groups]
    vectors = _parts_of_the_cell(
        groups[0][1:] - groups[0][0], math.gcd(*map(len, groups)), within_a / lengths
    )
    for group, sites in zip(groups, points, strict=True):
        for site in group[:N_PROBES]:
            vectors = vectors[sites.are_near(site + vectors, within_a)]
    return any(
        all(
            sites.are_near(group + vector, within_a).all()
            for group, sites in zip(groups, points, strict=True)
        )
        for vector in vectors
    )


def _parts_of_the_cell(
    vectors: NDArray[np.float64], n_units: int, within: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Select the vectors of which a multiple is a lattice vector, and return them exactly.

    Parameters
    ----------
    vectors
        Fractional, shape ``(n, 3)``.
    n_units
        Number that is divisible by every possible multiple.
    within
        Largest distance from the exact vectors, fractional, shape ``(3,)``.
    """
    vectors, found = vectors % 1.0, [np.empty((0, 3))]
    for multiple in range(2, n_units + 1):
        if n_units % multiple == 0:
            exact = np.round(vectors * multiple) / multiple
            found.append(exact[np.all(np.abs(vectors - exact) <= within, axis=1)] % 1.0)
    parts = np.unique(np.concatenate(found), axis=0)
    return parts[parts.any(axis=1)]


def _coordinates_by_species(crystal: Structure, lattice: Lattice) -> Sequence[NDArray[np.float64]]:
    """Group the fractional coordinates of the sites, in the given lattice, by what the sites hold."""
    groups: dict[str, list[int]] = {}
    for index, site in enumerate(crystal):
        groups.setdefault(site.species_string, []).append(index)
    coords = lattice.get_fractional_coords(crystal.cart_coords)
    return [coords[indices] for indices in groups.values()]
