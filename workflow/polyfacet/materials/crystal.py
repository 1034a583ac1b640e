"""An ordered crystal: checked lattice, positions and atomic numbers."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import spglib
from numpy.typing import NDArray
from pymatgen.core import Element, Structure

from polyfacet.materials.cif import read_cif
from polyfacet.materials.neighbour_search import Pairs, least_radius, pairs_within, reduced

MAX_ATOMIC_NUMBER = 100
MIN_DISTANCE_A = 0.1
MIN_VOLUME_A3 = 0.1
MAX_LENGTH_A = 1e4
# Symmetry operations map atoms onto each other within this distance; as wide as a shell of the local graph.
SYMMETRY_TOLERANCE_A = 1e-3


@dataclass(frozen=True, eq=False)
class Crystal:
    """Atoms in a periodic cell.

    Parameters
    ----------
    lattice
        Lattice vectors as rows, shape ``(3, 3)``, A.  Either handedness, any choice of basis.
    cart_coords
        Cartesian positions, shape ``(N, 3)``, A; not necessarily inside the cell.
    atomic_numbers
        Shape ``(N,)``.

    Raises
    ------
    ValueError
        If no facet can be made from it; the message is the reason.
    """

    lattice: NDArray[np.float64]
    cart_coords: NDArray[np.float64]
    atomic_numbers: NDArray[np.int64]

    def __post_init__(self) -> None:
        _check_shapes(self)
        if not (np.isfinite(self.lattice).all() and np.isfinite(self.cart_coords).all()):
            raise ValueError("lattice or positions contain NaN or infinity")
        longest = float(np.linalg.norm(self.lattice, axis=1).max())
        if longest > MAX_LENGTH_A:
            raise ValueError(f"a lattice vector is {longest:.3g} A long, more than {MAX_LENGTH_A:g} A")
        if self.volume < MIN_VOLUME_A3:
            raise ValueError(f"cell volume is {self.volume:.3g} A^3: the lattice vectors lie in a plane")
        _check_elements(self.atomic_numbers)
        _check_distances(self)

    def __len__(self) -> int:
        return len(self.atomic_numbers)

    @property
    def volume(self) -> float:
        """Volume of the cell, A^3."""
        return abs(float(np.linalg.det(self.lattice)))

    @cached_property
    def reduced_lattice(self) -> NDArray[np.float64]:
        """Short, nearly orthogonal vectors of the same lattice, shape ``(3, 3)``, A."""
        return reduced(self.lattice)

    @cached_property
    def reduced_coords(self) -> NDArray[np.float64]:
        """Fractional positions in the reduced lattice, wrapped into its cell, shape ``(N, 3)``."""
        return self.cart_coords @ np.linalg.inv(self.reduced_lattice) % 1.0


def crystal_from_structure(structure: Structure) -> Crystal:
    """Convert a pymatgen structure.

    Raises
    ------
    ValueError
        If a site is shared by several species or partially occupied, or if `Crystal` rejects the structure.
    """
    for site in structure:
        if not site.is_ordered or not isinstance(getattr(site.specie, "element", site.specie), Element):
            place = np.round(site.frac_coords, 4).tolist()
            raise ValueError(f"site at {place} holds {site.species_string}, not one element")
    return Crystal(
        lattice=np.array(structure.lattice.matrix),
        cart_coords=np.array(structure.cart_coords),
        atomic_numbers=np.array(structure.atomic_numbers, dtype=np.int64),
    )


def read_crystal(cif: Path, *, primitive: bool) -> Crystal:
    """Read a CIF.

    Parameters
    ----------
    cif
        File with one structure.
    primitive
        Whether to convert to the primitive cell, so that a material's graph does not depend on whether its
        source lists the primitive cell, the conventional cell or a supercell.

    Raises
    ------
    ValueError
        If the file contains no such crystal; the message is the reason.
    """
    crystal = crystal_from_structure(read_cif(cif))
    return primitive_crystal(crystal) if primitive else crystal


def primitive_crystal(crystal: Crystal) -> Crystal:
    """Return the primitive cell (spglib), in the orientation of the crystal.

    Raises
    ------
    ValueError
        If the symmetry cannot be determined.
    """
    fractional = crystal.cart_coords @ np.linalg.inv(crystal.lattice)
    try:
        found = spglib.standardize_cell(
            (crystal.lattice.tolist(), fractional.tolist(), crystal.atomic_numbers.tolist()),
            to_primitive=True,
            no_idealize=True,
            symprec=SYMMETRY_TOLERANCE_A,
        )
    except spglib.SpglibError as error:
        raise ValueError(f"symmetry cannot be determined: {error}") from error
    if found is None:
        raise ValueError("symmetry cannot be determined: no primitive cell found")
    lattice, positions = np.array(found[0]), np.array(found[1])
    return Crystal(lattice, positions @ lattice, np.array(found[2], dtype=np.int64))


def periodic_neighbours(crystal: Crystal, radius: float) -> Pairs:
    """Find all pairs of atoms within a radius; see `polyfacet.materials.neighbour_search.pairs_within`.

    Images are in units of the reduced lattice vectors, for positions wrapped into the reduced cell.
    """
    return pairs_within(crystal.reduced_lattice, crystal.reduced_coords, radius)


def _check_shapes(crystal: Crystal) -> None:
    n_atoms = len(crystal.atomic_numbers)
    if n_atoms == 0:
        raise ValueError("there are no atoms")
    if crystal.lattice.shape != (3, 3) or crystal.cart_coords.shape != (n_atoms, 3):
        raise ValueError(
            f"lattice has shape {crystal.lattice.shape}, positions {crystal.cart_coords.shape} "
            f"for {n_atoms} atoms; expected (3, 3) and ({n_atoms}, 3)"
        )


def _check_elements(atomic_numbers: NDArray[np.int64]) -> None:
    beyond = sorted({int(z) for z in atomic_numbers if not 1 <= z <= MAX_ATOMIC_NUMBER})
    if beyond:
        raise ValueError(
            f"atomic numbers {beyond} have no element features (the table ends at {MAX_ATOMIC_NUMBER})"
        )


def _check_distances(crystal: Crystal) -> None:
    """Reject coinciding atoms, periodic images included; the power sums diverge there."""
    radius = max(MIN_DISTANCE_A, least_radius(crystal.volume))
    centre, neighbour, _, distance = periodic_neighbours(crystal, radius)
    closest = int(np.argmin(distance)) if len(distance) else 0
    if len(distance) and distance[closest] <= MIN_DISTANCE_A:
        raise ValueError(
            f"atoms {centre[closest]} and {neighbour[closest]} are {distance[closest]:.3g} A apart, "
            f"less than {MIN_DISTANCE_A} A (periodic images included)"
        )
