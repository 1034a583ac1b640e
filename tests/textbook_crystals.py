"""Crystals with textbook values, and some awkward ones, for the tests of the graph facet."""

import numpy as np
from pymatgen.core import Lattice, Structure
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from polyfacet.materials.crystal import SYMMETRY_TOLERANCE_A, Crystal, crystal_from_structure


def conventional(space_group: str, a: float, species: list[str], coords: list[list[float]]) -> Crystal:
    return crystal_from_structure(Structure.from_spacegroup(space_group, Lattice.cubic(a), species, coords))


def primitive_fcc(a: float, species: list[str], coords: list[list[float]]) -> Crystal:
    lattice = Lattice(a / 2 * (np.ones((3, 3)) - np.eye(3)))
    return crystal_from_structure(Structure(lattice, species, coords))


def rocksalt() -> Crystal:
    return primitive_fcc(5.64, ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])


def caesium_chloride() -> Crystal:
    return conventional("Pm-3m", 4.12, ["Cs", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])


def zinc_blende() -> Crystal:
    return primitive_fcc(5.41, ["Zn", "S"], [[0, 0, 0], [0.25, 0.25, 0.25]])


def copper() -> Crystal:
    return primitive_fcc(3.61, ["Cu"], [[0, 0, 0]])


def diamond() -> Crystal:
    return conventional("Fd-3m", 3.567, ["C"], [[0, 0, 0]])


def triclinic() -> Crystal:
    lattice = Lattice.from_parameters(5.1, 6.3, 7.2, 73, 81, 66)
    coords = [[0.1, 0.2, 0.3], [0.55, 0.71, 0.12], [0.32, 0.88, 0.64], [0.81, 0.43, 0.77]]
    return crystal_from_structure(Structure(lattice, ["Ti", "O", "O", "Ca"], coords))


def slab() -> Crystal:
    """Return a layer with 15 A of vacuum."""
    coords = [[1 / 3, 2 / 3, 0.5], [2 / 3, 1 / 3, 0.584], [2 / 3, 1 / 3, 0.416]]
    return crystal_from_structure(Structure(Lattice.hexagonal(3.16, 18.5), ["Mo", "S", "S"], coords))


def chain() -> Crystal:
    """Return an atomic chain with 15 A of vacuum around it."""
    return crystal_from_structure(Structure(Lattice.orthorhombic(2.4, 15, 15), ["Se"], [[0, 0, 0]]))


def all_crystals() -> dict[str, Crystal]:
    makers = (rocksalt, caesium_chloride, zinc_blende, copper, diamond, triclinic, slab, chain)
    return {maker.__name__: maker() for maker in makers}


def rotated(crystal: Crystal) -> Crystal:
    rotation, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))
    rotation *= np.linalg.det(rotation)
    return Crystal(crystal.lattice @ rotation, crystal.cart_coords @ rotation, crystal.atomic_numbers)


def translated_and_wrapped(crystal: Crystal) -> Crystal:
    fractional = (crystal.cart_coords + np.array([0.37, -1.91, 2.2])) @ np.linalg.inv(crystal.lattice) % 1.0
    return Crystal(crystal.lattice, fractional @ crystal.lattice, crystal.atomic_numbers)


def other_basis(crystal: Crystal) -> Crystal:
    return Crystal(
        np.array([[1, 2, 0], [0, 1, 0], [-3, 1, 1]]) @ crystal.lattice,
        crystal.cart_coords,
        crystal.atomic_numbers,
    )


def other_order(crystal: Crystal) -> Crystal:
    order = np.random.default_rng(1).permutation(len(crystal))
    return Crystal(crystal.lattice, crystal.cart_coords[order], crystal.atomic_numbers[order])


def left_handed(crystal: Crystal) -> Crystal:
    return Crystal(crystal.lattice[[1, 0, 2]], crystal.cart_coords, crystal.atomic_numbers)


def mirrored(crystal: Crystal) -> Crystal:
    mirror = np.diag([1.0, 1.0, -1.0])
    return Crystal(crystal.lattice @ mirror, crystal.cart_coords @ mirror, crystal.atomic_numbers)


def as_structure(crystal: Crystal) -> Structure:
    return Structure(
        Lattice(crystal.lattice), crystal.atomic_numbers, crystal.cart_coords, coords_are_cartesian=True
    )


def supercell(crystal: Crystal) -> Crystal:
    return crystal_from_structure(as_structure(crystal).make_supercell([2, 1, 3], in_place=False))


def conventional_cell(crystal: Crystal) -> Crystal:
    analyzer = SpacegroupAnalyzer(as_structure(crystal), symprec=SYMMETRY_TOLERANCE_A)
    return crystal_from_structure(analyzer.get_conventional_standard_structure())


SAME_CELL = (rotated, translated_and_wrapped, other_basis, other_order, left_handed, mirrored)
