"""The same crystal, given in other ways: facets of structures must not change."""

import numpy as np
from pymatgen.core import Lattice, Structure

SUPERCELL = [[1, 1, 0], [0, 1, 0], [-1, 0, 2]]


def rewritten(structure: Structure) -> Structure:
    """Return the crystal in a supercell, turned, with another origin, its sites in another order."""
    generator = np.random.default_rng(0)
    cell = structure.copy()
    cell.make_supercell(SUPERCELL)
    rotation, _ = np.linalg.qr(generator.normal(size=(3, 3)))
    rotation *= np.linalg.det(rotation)
    order = generator.permutation(len(cell))
    coords = cell.frac_coords[order] + np.array([0.11, -0.27, 1.73])
    return Structure(Lattice(cell.lattice.matrix @ rotation), [cell[i].species for i in order], coords)


def rock_salt() -> Structure:
    return _cubic("Fm-3m", 5.6402, {"Na": [0, 0, 0], "Cl": [0.5, 0.5, 0.5]})


def copper() -> Structure:
    return _cubic("Fm-3m", 3.615, {"Cu": [0, 0, 0]})


def tungsten() -> Structure:
    return _cubic("Im-3m", 3.165, {"W": [0, 0, 0]})


def silicon() -> Structure:
    return _cubic("Fd-3m", 5.431, {"Si": [0, 0, 0]})


def zinc_blende() -> Structure:
    return _cubic("F-43m", 5.409, {"Zn": [0, 0, 0], "S": [0.25, 0.25, 0.25]})


def quartz() -> Structure:
    """Return alpha-quartz, which has a handedness."""
    lattice = Lattice.hexagonal(4.913, 5.405)
    coords = [[0.4697, 0, 2 / 3], [0.4135, 0.2669, 0.7858]]
    return Structure.from_spacegroup("P3_221", lattice, ["Si", "O"], coords)


def layer() -> Structure:
    """Return a layer of MoS2 with 15 A of vacuum."""
    coords = [[1 / 3, 2 / 3, 0.5], [2 / 3, 1 / 3, 0.584], [2 / 3, 1 / 3, 0.416]]
    return Structure(Lattice.hexagonal(3.16, 18.5), ["Mo", "S", "S"], coords)


def chain() -> Structure:
    """Return a chain of selenium atoms with 15 A of vacuum."""
    return Structure(Lattice.orthorhombic(2.4, 15, 15), ["Se"], [[0, 0, 0]])


def alloy() -> Structure:
    return Structure(Lattice.cubic(3.0), [{"Cu": 0.5, "Zn": 0.5}], [[0, 0, 0]])


def lithium_hydride(hydrogen: str = "H") -> Structure:
    """Return LiH with an isotope of hydrogen."""
    return _cubic("Fm-3m", 4.08, {"Li": [0, 0, 0], hydrogen: [0.5, 0.5, 0.5]})


def _cubic(space_group: str, a: float, sites: dict[str, list[float]]) -> Structure:
    return Structure.from_spacegroup(space_group, Lattice.cubic(a), list(sites), list(sites.values()))
